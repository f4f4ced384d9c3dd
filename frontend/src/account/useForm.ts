import { type FormEvent, useState } from "react";
import { asStudioError, type StudioError } from "../api/errors";

/** The values of a form, what the studio says against them, and sending it once. */
export function useForm<Values extends Record<string, string>>(
  first: Values,
  submit: (values: Values) => Promise<unknown>,
) {
  const [values, setValues] = useState(first);
  const [error, setError] = useState<StudioError | null>(null);
  const [isBusy, setIsBusy] = useState(false);
  const names = Object.keys(first);
  return {
    values,
    set: setValues,
    isBusy,
    problem: error?.beside(...names),
    field: (name: keyof Values & string) => ({
      name,
      value: values[name],
      error: error?.of(name),
      onChange: (event: { currentTarget: { value: string } }) => {
        const { value } = event.currentTarget;
        setValues((now) => ({ ...now, [name]: value }));
      },
    }),
    onSubmit: async (event: FormEvent) => {
      event.preventDefault();
      setIsBusy(true);
      setError(null);
      try {
        await submit(values);
      } catch (problem) {
        setError(asStudioError(problem));
      } finally {
        setIsBusy(false);
      }
    },
  };
}
