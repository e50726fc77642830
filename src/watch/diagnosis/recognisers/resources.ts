import { withoutPrefix } from '../log-lines.ts'
import { always, type Recogniser } from '../recogniser.ts'

const EVERYWHERE = ['build', 'runtime', 'platform'] as const
const MORE_MEMORY = 'Give it more with the `memory` input (256Mi unless set otherwise), or make it need less.'

/** Out of memory, out of disk. These first: whatever fails afterwards is a consequence. */
export const RESOURCE_RECOGNISERS: readonly Recogniser[] = [
  {
    name: 'resources/disk-full',
    in: EVERYWHERE,
    pattern: /\bENOSPC\b|no space left on device|\[Errno 28\]|disk quota exceeded/i,
    cause: always('The disk is full'),
    hint: always(
      'Keep what is not needed out of the build: a .dockerignore, no caches or test data in the repository, fewer dependencies.',
    ),
  },
  {
    name: 'resources/node-heap',
    tool: 'Node.js',
    in: EVERYWHERE,
    pattern: /JavaScript heap out of memory/,
    cause: always('Node.js ran out of heap memory'),
    hint: always(
      `${MORE_MEMORY} Node.js takes part of it only; set NODE_OPTIONS=--max-old-space-size=<MiB> with the \`env\` input for more.`,
    ),
  },
  {
    name: 'resources/java-heap',
    tool: 'Java',
    in: EVERYWHERE,
    pattern: /java\.lang\.OutOfMemoryError(?:: (?<what>.+))?/,
    cause: ({ groups }) => `Java ran out of memory${groups.what === undefined ? '' : ` (${groups.what})`}`,
    hint: always(`${MORE_MEMORY} Set the heap with JAVA_TOOL_OPTIONS=-XX:MaxRAMPercentage=75 in the \`env\` input.`),
  },
  {
    name: 'resources/killed',
    in: EVERYWHERE,
    pattern:
      /^Killed$|\b(?:exit(?:ed)?|code|status)\b.{0,24}\b137\b|\bOOMKilled\b|\bsignal: (?:9\b|killed)|SIGKILL|^MemoryError\b|runtime: out of memory|memory allocation of \d+ bytes failed|cannot allocate memory|memory limit (?:reached|exceeded)|exceeded (?:its |the )?memory limit/i,
    cause: always('Out of memory: the process was killed (exit code 137)'),
    hint: always(MORE_MEMORY),
  },
]

/** The line of a log by which a process was killed for its memory, or ran out of it; the last one. */
export function memoryDeath(lines: readonly string[]): string | undefined {
  const patterns = RESOURCE_RECOGNISERS.filter(({ name }) => name !== 'resources/disk-full').map(
    ({ pattern }) => pattern,
  )
  return lines.findLast((line) => patterns.some((pattern) => pattern.test(withoutPrefix(line))))
}
