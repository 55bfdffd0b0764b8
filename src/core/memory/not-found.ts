/** No kernel was found in a guest's memory. The message says what was tried, in order, and how each way ended. */
export class KernelNotFound extends Error {
  override readonly name = 'KernelNotFound';

  constructor(readonly tried: readonly string[]) {
    super(`no kernel found: ${tried.join('; ')}`);
  }
}
