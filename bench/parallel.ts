/** So many at a time, until all are done. */
export async function inParallel(count: number, concurrency: number, once: () => Promise<void>): Promise<void> {
  let left = count;
  const work = async () => {
    while (left-- > 0) await once();
  };
  await Promise.all(Array.from({ length: concurrency }, work));
}
