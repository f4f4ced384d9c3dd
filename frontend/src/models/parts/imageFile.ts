import { useEffect, useState } from "react";

/** What file dialogs offer where an image is asked for. */
export const IMAGE_TYPES = "image/*,.heic,.heif,.avif,.tif,.tiff";

/** An address for the file on this computer, for as long as it is shown. */
export function useAddress(file: File | null): string | null {
  const [address, setAddress] = useState<string | null>(null);
  useEffect(() => {
    if (!file) return undefined;
    const made = URL.createObjectURL(file);
    setAddress(made);
    return () => URL.revokeObjectURL(made);
  }, [file]);
  return address;
}
