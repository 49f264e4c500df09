/** What must not outlive this process. */

const all = new Set<() => void>();

function letGo(): void {
  for (const one of all) one();
}

/** Has `clean` called if the process exits, unless the function that it returns is called before. It cannot wait for anything. */
export function untilExit(clean: () => void): () => void {
  if (all.size === 0) process.on('exit', letGo);
  all.add(clean);
  return () => {
    all.delete(clean);
    if (all.size === 0) process.off('exit', letGo);
  };
}
