/** Finds keyboards beside the PS/2 one in the answers of `qom-list` (QEMU hw/usb/dev-hid.c, hw/input/virtio-input-hid.c). */
import { printable } from '../printable.js';
import { isObject } from './codec.js';

/** What QEMU says of keys that none of its devices takes (ui/input.c). `send-key` drops them without a word. */
export const isKeyless = (words: string): boolean => /Input handler not found for event type key/.test(words);

/** The same for people, with what helps. */
export const KEYLESS =
  'QEMU gives it no keyboard: add -device virtio-keyboard-pci, or set ladder.typeOnConsole (docs/guests.md)';

interface Keyboard {
  /** In QEMU's object tree. */
  path: string;
  type: string;
}

const KEYBOARD = /^child<(usb-kbd|virtio-keyboard[a-z-]*)>$/;
const MAX = 4;

/** Each answer with the path that was listed. */
export function keyboardsIn(listed: readonly { path: string; answer: unknown }[]): Keyboard[] {
  const found = listed.flatMap(({ path, answer }) =>
    (Array.isArray(answer) ? answer.filter(isObject) : []).flatMap(({ name, type }): Keyboard[] => {
      const kind = typeof type === 'string' ? KEYBOARD.exec(type)?.[1] : undefined;
      if (kind === undefined || typeof name !== 'string') return [];
      return [{ path: `${path}/${name}`, type: printable(kind, 40) }];
    }),
  );
  return found.slice(0, MAX);
}
