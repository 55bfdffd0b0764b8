/** The kinds of values that the configuration is made of. Each says itself what it expects. */
import { RE2JS } from 're2js';
import { z } from 'zod';
import { globTest } from '../glob.js';
import { qmpAddressOf, qmpAddressProblem, QMP_EXPECTED } from '../qmp-address.js';
import { vmNameProblem } from '../vm-name.js';
import { DURATION_SHAPE, durationMs, durationProblem, formatDuration } from './duration.js';
import { SIZE_EXPECTED, SIZE_SHAPE, sizeBytes, writtenSize } from './size.js';

export const flag = (about: string) => z.boolean('expected true or false').describe(about);

export function count(min: number, max: number, about: string) {
  const error = `expected a whole number from ${min} to ${max}`;
  return z.int(error).min(min, error).max(max, error).describe(about);
}

/** The least and the most that make sense, and why not less. */
interface Range {
  min: string;
  max: string;
  because: string;
}

/** A duration as people write it (`3s`, `1h 30min`), in milliseconds once parsed. */
export function duration({ min, max, because }: Range, about: string) {
  const [least, most] = [durationMs(min), durationMs(max)];
  const error = ({ input }: { input?: unknown }) =>
    durationProblem(typeof input === 'number' ? String(input) : '');
  return z
    .codec(z.string({ error }).meta({ pattern: DURATION_SHAPE.source }), z.number(), {
      decode: (value, context) => {
        const ms = durationMs(value);
        if (typeof ms !== 'number') return refuse(context, value, ms.problem);
        if (ms < Number(least)) return refuse(context, value, `expected at least ${min}: ${because}`);
        if (ms > Number(most)) return refuse(context, value, `expected at most ${max}`);
        return ms;
      },
      encode: formatDuration,
    })
    .describe(about);
}

/** A size as people write it (`10GiB`), in bytes once parsed. */
export function size({ min, because }: { min: string; because: string }, about: string) {
  const least = sizeBytes(min) ?? 0;
  return z
    .codec(z.string(SIZE_EXPECTED).meta({ pattern: SIZE_SHAPE.source }), z.number(), {
      decode: (value, context) => {
        const bytes = sizeBytes(value);
        if (bytes === null) return refuse(context, value, SIZE_EXPECTED);
        return bytes < least ? refuse(context, value, `expected at least ${min}: ${because}`) : bytes;
      },
      encode: writtenSize,
    })
    .describe(about);
}

function refuse(context: z.core.ParsePayload, input: unknown, message: string): never {
  context.issues.push({ code: 'custom', message, input });
  return z.NEVER;
}

/** Text of a certain shape, which is also the pattern in the JSON Schema. */
export const text = (shape: RegExp, expected: string, about: string) =>
  z.string(`expected ${expected}`).regex(shape, `expected ${expected}`).describe(about);

const ABSOLUTE = /^\//;
const ABSOLUTE_EXPECTED = 'expected an absolute path; ~ and $VARIABLES are not replaced here';

/** An absolute path, or null for the default that `about` names. */
export const optionalPath = (about: string) =>
  z.string(ABSOLUTE_EXPECTED).regex(ABSOLUTE, ABSOLUTE_EXPECTED).nullable().describe(about).prefault(null);

const OF_USER = /^~?\//;
const OF_USER_EXPECTED =
  'expected an absolute path, or one that begins with ~/; $VARIABLES are not replaced here';

/** An absolute path, one below the home directory as `~/…`, or null for the default that `about` names. */
export const optionalUserPath = (about: string) =>
  z.string(OF_USER_EXPECTED).regex(OF_USER, OF_USER_EXPECTED).nullable().describe(about).prefault(null);

/** Where QMP is served; see core/qmp-address.ts. */
export const qmpAddress = (about: string) =>
  z
    .string(QMP_EXPECTED)
    .meta({ pattern: '^(?:/|tcp:|libvirt:)' })
    .superRefine((text, context) => {
      if (qmpAddressOf(text.replaceAll('%v', 'v')) === null)
        context.addIssue({ code: 'custom', message: qmpAddressProblem(text) });
    })
    .describe(about);

const EXPRESSION_MAX = 500;

/** A regular expression of RE2, which knows no look-around and no back references, or null for none. */
export const expression = (about: string) =>
  z
    .string('expected a regular expression')
    .max(EXPRESSION_MAX, `expected at most ${EXPRESSION_MAX} characters`)
    .superRefine((source, context) => {
      try {
        RE2JS.compile(source);
      } catch (error) {
        const because = error instanceof Error ? error.message : String(error);
        context.addIssue({
          code: 'custom',
          message: `expected a regular expression in the syntax of RE2: ${because}`,
        });
      }
    })
    .nullable()
    .describe(about)
    .prefault(null);

const COMMAND_EXPECTED = 'expected a program and its arguments as a list, such as [notify-send, wedged]';
const WORD_MAX = 4096;

/** What is executed as it stands. */
export const command = (about: string) =>
  z
    .array(
      z
        .string('expected text; put quotes around it')
        .max(WORD_MAX, `expected at most ${WORD_MAX} characters`)
        .regex(/^[^\0]*$/, 'expected no NUL character'),
      COMMAND_EXPECTED,
    )
    .min(1, COMMAND_EXPECTED)
    .max(100, 'expected at most 100 arguments')
    .refine(([program]) => program !== '', COMMAND_EXPECTED)
    .describe(about);

/** A leading dash would be read as an option by ssh. */
export const hostName = (about: string) =>
  text(/^[^-\s][^\s]*$/, 'a host as in ~/.ssh/config, without blanks', about);

export const vmName = (about: string) =>
  z
    .string('expected the name of a VM')
    .superRefine((name, context) => {
      const message = vmNameProblem(name);
      if (message !== null) context.addIssue({ code: 'custom', message });
    })
    .describe(about);

const GLOB_MAX = 500;

/** Brackets must close, or a typing mistake would silently match nothing. */
export const glob = (about: string) =>
  z
    .string('expected the name of a VM, or a glob such as slow-*')
    .max(GLOB_MAX, `expected at most ${GLOB_MAX} characters`)
    .superRefine((pattern, context) => {
      try {
        globTest(pattern);
      } catch (error) {
        const because = error instanceof Error ? error.message : String(error);
        context.addIssue({ code: 'custom', message: `expected a glob such as slow-*: ${because}` });
      }
    })
    .describe(about);
