import { SCRIPT_HASH } from './html-script.js';

/** Browsers refuse whatever this does not name, were a tag of the guest's ever to get through. */
export const POLICY = [
  "default-src 'none'",
  "style-src 'unsafe-inline'",
  `script-src 'sha256-${SCRIPT_HASH}'`,
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');
