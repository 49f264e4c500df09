/** How much an object keeps alive, read from a snapshot of the heap: exact, and the same each time, whatever else the engine does. */

import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeHeapSnapshot } from 'node:v8';

/** What holds an object while the snapshot is taken. The snapshot knows objects by the names of their classes. */
class RetainedSizeProbe {
  /** A string, as a snapshot does not have numbers. */
  readonly label: string;
  readonly held: unknown;

  constructor(index: number, held: unknown) {
    this.label = labelOf(index);
    this.held = held;
  }
}

const labelOf = (index: number): string => `probe ${index}`;

interface Snapshot {
  readonly snapshot: {
    readonly meta: {
      readonly node_fields: readonly string[];
      readonly node_types: readonly [readonly string[], ...unknown[]];
      readonly edge_fields: readonly string[];
      readonly edge_types: readonly [readonly string[], ...unknown[]];
    };
  };
  readonly nodes: readonly number[];
  readonly edges: readonly number[];
  readonly strings: readonly string[];
}

function takeSnapshot(): Snapshot {
  const file = join(tmpdir(), `tls-resume-retained-${process.pid}.heapsnapshot`);
  try {
    return JSON.parse(readFileSync(writeHeapSnapshot(file), 'utf8')) as Snapshot;
  } finally {
    rmSync(file, { force: true });
  }
}

/**
 * The sizes of what several cases make, all read from one snapshot, when the first is asked for: the bytes of objects and of array
 * buffers that would be free if the object were gone. What two of them share is counted for the first alone, what anything else
 * holds as well, for none. What the engine of the language makes for all objects of a shape (maps, code) is not counted.
 */
export class RetainedSizes {
  readonly #makers: (() => unknown)[] = [];
  #results: readonly (() => number)[] | undefined;

  /** Returns what gives the size of the object that `make` returns, or throws what `make` throws. Nothing else may hold it. */
  add(make: () => unknown): () => number {
    const index = this.#makers.push(make) - 1;
    return () => {
      this.#results ??= measure(this.#makers);
      return this.#results[index]?.() ?? Number.NaN;
    };
  }
}

function measure(makers: readonly (() => unknown)[]): (() => number)[] {
  const probes: RetainedSizeProbe[] = [];
  const results = makers.map((make, index) => {
    try {
      probes.push(new RetainedSizeProbe(index, make()));
      return () => sizes.get(index) ?? Number.NaN;
    } catch (error) {
      return () => {
        throw error;
      };
    }
  });
  const graph = new HeapGraph(takeSnapshot());
  const found = graph.objectsOf(RetainedSizeProbe.name);
  if (found.length !== probes.length) throw new Error(`the snapshot has ${found.length} probes of ${probes.length}`);
  for (const probe of found) graph.visit(probe);
  graph.sizeFrom([0]); // the root: what is reached without a probe
  const references = new Map(found.map((probe) => [graph.labelIn(probe), graph.referencesOf(probe)]));
  const sizes = new Map(makers.map((_, index) => [index, graph.sizeFrom(references.get(labelOf(index)) ?? [])]));
  return results;
}

class HeapGraph {
  readonly #nodes: readonly number[];
  readonly #edges: readonly number[];
  readonly #strings: readonly string[];
  readonly #nodeFields: number;
  readonly #edgeFields: number;
  readonly #at: Readonly<Record<'type' | 'name' | 'self_size' | 'edge_count', number>>;
  readonly #weak: number;
  readonly #toNode: number;
  readonly #uncounted: ReadonlySet<number>;
  readonly #object: number;
  /** Of each node, where its edges begin. */
  readonly #firstEdge: Uint32Array;
  readonly #visited: Uint8Array;

  constructor({ snapshot: { meta }, nodes, edges, strings }: Snapshot) {
    this.#nodes = nodes;
    this.#edges = edges;
    this.#strings = strings;
    this.#nodeFields = meta.node_fields.length;
    this.#edgeFields = meta.edge_fields.length;
    const field = (name: string) => meta.node_fields.indexOf(name);
    this.#at = {
      type: field('type'),
      name: field('name'),
      self_size: field('self_size'),
      edge_count: field('edge_count'),
    };
    const [types] = meta.node_types;
    this.#object = types.indexOf('object');
    this.#uncounted = new Set(['code', 'object shape'].map((type) => types.indexOf(type)));
    this.#weak = meta.edge_types[0].indexOf('weak');
    this.#toNode = meta.edge_fields.indexOf('to_node');
    const count = nodes.length / this.#nodeFields;
    this.#visited = new Uint8Array(count);
    this.#firstEdge = new Uint32Array(count + 1);
    for (let node = 0; node < count; node++)
      this.#firstEdge[node + 1] = (this.#firstEdge[node] ?? 0) + this.#field(node, 'edge_count') * this.#edgeFields;
  }

  objectsOf(className: string): number[] {
    const found: number[] = [];
    for (let node = 0; node < this.#visited.length; node++)
      if (this.#field(node, 'type') === this.#object && this.#strings[this.#field(node, 'name')] === className)
        if (this.referencesOf(node).some((other) => this.#strings[this.#field(other, 'name')]?.startsWith('probe ')))
          found.push(node);
    return found;
  }

  /** The label of a probe. */
  labelIn(probe: number): string | undefined {
    const names = this.referencesOf(probe).map((node) => this.#strings[this.#field(node, 'name')]);
    return names.find((name) => name?.startsWith('probe '));
  }

  visit(node: number): void {
    this.#visited[node] = 1;
  }

  /** The bytes of all nodes that are reached from `from` and have not been visited. Visits them. */
  sizeFrom(from: readonly number[]): number {
    let bytes = 0;
    const next = from.filter((node) => this.#visited[node] === 0);
    for (let node = next.pop(); node !== undefined; node = next.pop()) {
      if (this.#visited[node] === 1) continue;
      this.visit(node);
      if (!this.#uncounted.has(this.#field(node, 'type'))) bytes += this.#field(node, 'self_size');
      for (const other of this.referencesOf(node)) if (this.#visited[other] === 0) next.push(other);
    }
    return bytes;
  }

  /** The nodes that `node` keeps alive. */
  referencesOf(node: number): number[] {
    const found: number[] = [];
    const end = this.#firstEdge[node + 1] ?? 0;
    for (let edge = this.#firstEdge[node] ?? 0; edge < end; edge += this.#edgeFields)
      if (this.#edges[edge] !== this.#weak) found.push((this.#edges[edge + this.#toNode] ?? 0) / this.#nodeFields);
    return found;
  }

  #field(node: number, name: 'type' | 'name' | 'self_size' | 'edge_count'): number {
    return this.#nodes[node * this.#nodeFields + this.#at[name]] ?? 0;
  }
}
