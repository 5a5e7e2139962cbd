/** What vite.config.ts writes into the program when it is built. */
declare const __BUILD__: {
  /** Version of the workspace. */
  readonly version: string;
  /** Size of the wasm module in bytes. */
  readonly programBytes: number;
  /** Size of the default model in bytes. */
  readonly modelBytes: number;
};
