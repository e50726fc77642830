import { expect, it } from 'vitest'
import { createSanitizer } from '../../src/core/sanitize.ts'
import { deploymentLog, WINDOW_LINES } from '../../src/watch/readings.ts'
import { quietSeconds } from '../support/quiet-cpu.ts'

// A processor is shared unevenly, so the quietest of three looks counts.
it('100 000 log lines cost at most 0.5 s of a quiet CPU and 150 MB', { retry: 2 }, () => {
  const lines = Array.from({ length: 100_000 }, (_, index) =>
    index % 1_000 === 0
      ? `\x1b[31m${index} ${'é'.repeat(20_000)}`
      : `\x1b[32m#${index % 40}\x1b[0m  ✓ compiled module ${index}`,
  )
  let shown = 0
  const log = deploymentLog([], createSanitizer(['not-in-the-log']), () => (shown += 1))
  const memory = process.memoryUsage().rss
  const taken = quietSeconds(() => {
    for (let end = 100; end <= lines.length; end += 100) log.accept(lines.slice(Math.max(0, end - WINDOW_LINES), end))
  })
  expect(shown).toBe(100_000)
  expect(taken).toBeLessThan(0.5)
  expect((process.memoryUsage().rss - memory) / 2 ** 20).toBeLessThan(150)
  expect(log.lines.length).toBeLessThanOrEqual(5_000)
})

it('a window that outran the readings is told as such, once', () => {
  const told: string[] = []
  const log = deploymentLog(
    [],
    (line) => line,
    (line) => told.push(line),
  )
  const lines = Array.from({ length: 2_000 }, (_, index) => `line ${index}`)
  log.accept(lines.slice(0, 100))
  log.accept(lines.slice(-WINDOW_LINES))
  log.accept(lines.slice(-WINDOW_LINES))
  expect(told).toHaveLength(100 + 1 + WINDOW_LINES)
  expect(told[100]).toMatch(/^… .*lines not shown/)
})
