import { execa } from 'execa';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { guestCache } from '../../src/guest/build.js';
import { unpackPackages } from '../../src/guest/packages.js';

/** Debian's package is unpacked beside the guests' images: installed, it would start a Prometheus. */
const PACKAGE = 'prometheus';

/** The path of promtool. Throws, with the name of what is missing. */
async function promtoolPath(): Promise<string> {
  const directory = join(guestCache(), 'promtool');
  const path = join(directory, 'usr/bin/promtool');
  if (existsSync(path)) return path;
  await mkdir(guestCache(), { recursive: true });
  const partial = await mkdtemp(join(guestCache(), 'promtool-'));
  try {
    await unpackPackages([PACKAGE], partial, { log: (line) => process.stdout.write(`${line}\n`) });
    await rename(partial, directory);
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    if (!existsSync(path))
      throw new Error(`promtool of Debian's package ${PACKAGE} is missing`, { cause: error });
  }
  return path;
}

/** Runs it with this on its standard input. Throws with what it says if that is not good. */
export async function promtool(args: readonly string[], input = ''): Promise<string> {
  const { exitCode, all } = await execa(await promtoolPath(), args, {
    input,
    all: true,
    reject: false,
    timeout: 60_000,
  });
  if (exitCode !== 0) throw new Error(`promtool ${args.join(' ')}: ${all}`);
  return all;
}
