/** Choices remembered on this device, where the browser allows it. Never file names or results. */

export function remembered(name: string): string | null {
  try {
    return localStorage.getItem(`histomask.${name}`);
  } catch {
    return null;
  }
}

export function remember(name: string, value: string): void {
  try {
    localStorage.setItem(`histomask.${name}`, value);
  } catch {
    // storage is refused or full: the choice lasts as long as the page
  }
}
