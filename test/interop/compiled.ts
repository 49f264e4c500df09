/** Programs of this folder in other languages, each compiled once a process. */

import { join } from 'node:path';
import { run, sourcePath, workFolder } from './peers.ts';

/** Some versions of Go bring their library as source, and compile the whole of it, perhaps on a machine that has other work. */
export const COMPILE_MS = 300_000;

const compiled = new Map<string, Promise<string>>();

function once(name: string, compile: () => Promise<string>): Promise<string> {
  const known = compiled.get(name);
  if (known !== undefined) return known;
  const made = compile();
  compiled.set(name, made);
  return made;
}

/** Returns the folder with the class `name`. `java Client.java` would compile it on every run. */
export function compiledJava(name: string): Promise<string> {
  return once(`${name}.java`, async () => {
    await run('javac', ['-d', workFolder(), sourcePath(`test/interop/${name}.java`)], { timeoutMs: COMPILE_MS });
    return workFolder();
  });
}

/** For programs that live for a second. */
export const JAVA_FLAGS = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto'];

/** Returns the program, which is not `go run`: that has it as its own child, which would outlive a kill. */
export function builtGo(name: string): Promise<string> {
  return once(`${name}.go`, async () => {
    const program = join(workFolder(), `go-${name}`);
    const env = { GO111MODULE: 'off', GOFLAGS: '', GOCACHE: join(workFolder(), 'go-cache'), CGO_ENABLED: '0' };
    await run('go', ['build', '-o', program, sourcePath(`test/interop/${name}.go`)], { env, timeoutMs: COMPILE_MS });
    return program;
  });
}

/** Returns the program, or the library. */
export function builtC(name: string, flags: readonly string[]): Promise<string> {
  return once(`${name}.c`, async () => {
    const program = join(workFolder(), name);
    await run('gcc', ['-O1', '-o', program, sourcePath(`test/interop/${name}.c`), ...flags], { timeoutMs: COMPILE_MS });
    return program;
  });
}
