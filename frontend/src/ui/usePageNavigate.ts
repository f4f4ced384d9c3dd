import { useMatch, useNavigate, useRouter } from "@tanstack/react-router";

const trimmed = (path: string) => path.replace(/\/+$/, "");

/**
 * Changes the search of the page that the component is on. Once a person is on the way to another page, whose code may
 * still be loading, it does nothing: the address would be made of that page's, and lead them back.
 */
export const usePageNavigate = ((options) => {
  const navigate = useNavigate(options);
  const router = useRouter();
  const own = useMatch({ strict: false, select: ({ pathname }) => pathname });
  return ((to) =>
    trimmed(router.latestLocation.pathname) === trimmed(own)
      ? navigate(to)
      : Promise.resolve()) as typeof navigate;
}) as typeof useNavigate;
