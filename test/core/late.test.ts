import { describe, expect, it } from 'vitest'
import { shared } from '../../src/core/late.ts'

describe('what several use at the same time', () => {
  /** Opens numbers, one after the other; those that fail are said before. */
  function counting(failing: readonly number[] = []) {
    const closed: number[] = []
    let count = 0
    const open = async () => {
      count += 1
      if (failing.includes(count)) throw new Error(`the opening ${count} failed`)
      return count
    }
    const hold = shared(open, async (one) => void closed.push(one))
    return { hold, closed }
  }

  it('is opened once for all of them, and closed after the last', async () => {
    const { hold, closed } = counting()
    const [first, second] = [hold(), hold()]
    expect(await Promise.all([first.value, second.value])).toEqual([1, 1])
    await first[Symbol.asyncDispose]()
    expect(closed).toEqual([])
    await second[Symbol.asyncDispose]()
    expect(closed).toEqual([1])
    await using third = hold()
    expect(await third.value).toBe(2)
  })

  it('is opened anew for whoever comes after a failure, and then stays open as long as that one needs it', async () => {
    const { hold, closed } = counting([1])
    const first = hold()
    await expect(first.value).rejects.toThrow('the opening 1 failed')
    const second = hold()
    expect(await second.value).toBe(2)
    await first[Symbol.asyncDispose]()
    expect(closed).toEqual([])
    await second[Symbol.asyncDispose]()
    expect(closed).toEqual([2])
  })

  it('is not waited for where nobody needs it any more, and closed where it is opened all the same', async () => {
    const { hold, closed } = counting()
    await hold()[Symbol.asyncDispose]()
    expect(closed).toEqual([1])

    const silent = shared(
      (signal) => new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
      () => Promise.reject(new Error('was never opened')),
    )
    const [first, second] = [silent(), silent()]
    await first[Symbol.asyncDispose]()
    await second[Symbol.asyncDispose]()
    await expect(first.value).rejects.toThrow()
  })
})
