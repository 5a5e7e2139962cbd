/** Has the browser save a file under a name. */
export function save(file: Blob, name: string): void {
  const url = URL.createObjectURL(file);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // the browser reads the file after the click returns
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
