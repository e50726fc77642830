import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { followLog } from '../../src/watch/readings.ts'

const count = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => `line ${from + index}`)

describe('following a log of which only the newest lines are told', () => {
  it('tells each line once as the window grows', () => {
    const follower = followLog(500, [])
    expect(follower.accept(count(0, 3)).lines).toEqual(count(0, 3))
    expect(follower.accept(count(0, 3)).lines).toEqual([])
    expect(follower.accept(count(0, 5)).lines).toEqual(count(3, 5))
  })

  it('lines up a window that slides', () => {
    const follower = followLog(10, count(0, 10))
    expect(follower.accept(count(7, 17))).toEqual({ lines: count(10, 17), outran: false })
  })

  it('says when the window moved on by more than its length', () => {
    const follower = followLog(10, count(0, 10))
    expect(follower.accept(count(40, 50))).toEqual({ lines: count(40, 50), outran: true })
    expect(followLog(10, []).accept(count(40, 50)).outran).toBe(true)
    expect(followLog(10, []).accept(count(0, 9)).outran).toBe(false)
  })

  it('leaves out earlier deployments, also when their lines were read with a smaller window', () => {
    expect(followLog(500, count(5, 10)).accept(count(0, 12)).lines).toEqual(count(10, 12))
  })

  it('counts repeated lines while the window is not full', () => {
    const follower = followLog(500, ['.', '.'])
    expect(follower.accept(['.', '.', '.', '.']).lines).toEqual(['.', '.'])
  })

  it('tells all of a log that was begun anew', () => {
    expect(followLog(500, count(0, 200)).accept(['fresh 1', 'fresh 2'])).toEqual({
      lines: ['fresh 1', 'fresh 2'],
      outran: false,
    })
  })

  it('tells a late line that the store delivered into the middle, and nothing else again', () => {
    const follower = followLog(500, count(0, 10))
    const late = [...count(0, 4), 'late', ...count(4, 10)]
    expect(follower.accept(late).lines).toEqual(['late'])
  })

  it('tells a line again that was read half', () => {
    const follower = followLog(500, ['start', 'Downloading 5'])
    expect(follower.accept(['start', 'Downloading 50 %', 'next']).lines).toEqual(['Downloading 50 %', 'next'])
  })

  it('keeps its place through an empty answer', () => {
    const follower = followLog(500, count(0, 3))
    expect(follower.accept([]).lines).toEqual([])
    expect(follower.accept(count(0, 4)).lines).toEqual(count(3, 4))
  })

  it('tells every line of ours exactly once and in order, for any pace that the window can hold', () => {
    const window = 12
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 30 }),
        fc.integer({ min: 0, max: 20 }),
        (steps, earlier) => {
          const log = count(0, earlier)
          const follower = followLog(window, log.slice(-window))
          const told: string[] = []
          for (const step of steps) {
            log.push(...count(log.length, log.length + step))
            const news = follower.accept(log.slice(-window))
            expect(news.outran).toBe(false)
            told.push(...news.lines)
          }
          expect(told).toEqual(log.slice(earlier))
        },
      ),
    )
  })

  it('never tells a line that is not in the window, however the lines repeat', () => {
    const line = fc.constantFrom('a', 'b', 'c')
    fc.assert(
      fc.property(fc.array(line, { maxLength: 40 }), fc.array(line, { maxLength: 15 }), (log, more) => {
        const follower = followLog(10, log.slice(-10))
        const window = [...log, ...more].slice(-10)
        const { lines } = follower.accept(window)
        expect(lines.length).toBeLessThanOrEqual(window.length)
        // What is told is the end of the window, or lines that came in between.
        let at = 0
        for (const each of window) if (each === lines[at]) at += 1
        expect(at).toBe(lines.length)
      }),
    )
  })
})
