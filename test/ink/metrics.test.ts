import { describe, expect, it } from 'vitest'
import { metricsSchema } from '../../src/ink/account.ts'
import { readResult } from '../../src/ink/results.ts'

const read = (answer: Record<string, unknown>) => readResult(metricsSchema, answer, 'service_metrics')
const series = (...values: number[]) => ({
  dataPoints: values.map((value) => ({ timestamp: '2026-11-22T10:00:00Z', value })),
})

describe('the metrics of a service', () => {
  it.each([
    [
      'as series',
      { memoryUsageMB: series(100, 156), memoryLimitMB: 256, cpuUsage: series(0.1, 0.3), cpuLimitVCPUs: 0.5 },
    ],
    ['in snake case', { memory_usage_mb: 128, memory_limit_mb: 256, cpu_usage: 0.2, cpu_limit_vcpus: 0.5 }],
  ])('are shares of its limits, %s', (_, answer) => {
    const { memory, cpu } = read(answer)
    expect(memory).toBeCloseTo(0.5)
    expect(cpu).toBeCloseTo(0.4)
  })

  it.each([
    [{}],
    [{ memoryUsageMB: series(), memoryLimitMB: 256, cpuUsage: null }],
    [{ memoryUsageMB: series(100), memoryLimitMB: 0 }],
    [{ memoryUsageMB: 100 }],
  ])('that are not told are not made up: %j', (answer) => {
    expect(read(answer)).toEqual({ memory: undefined, cpu: undefined })
  })
})
