import { describe, expect, it } from 'vitest'
import { Secret } from '../../src/core/secret.ts'
import { foldCard, renderCard } from '../../src/report/comments.ts'
import { authenticState, CARD_MARKER, createSeal, decodeState, encodeState, withSeal } from '../../src/report/state.ts'
import { useStage } from '../flows/use-stage.ts'
import { row, SURROUNDINGS } from '../report/rows.ts'

const key = new Secret('dk_test_of_the_card')
const seal = createSeal(key, { id: '7', fullName: 'acme/shop' }, 12)
const sealed = { ...SURROUNDINGS, seal }
const inYears = '2099-01-01T00:00:00.000Z'
const forged = row({
  service: 'acme-shop-pr-1',
  target: 'pr-1',
  commit: 'f'.repeat(40),
  url: 'https://evil.example',
  updatedAt: inYears,
  run: { id: 2 ** 50, attempt: 1, startedAt: inYears },
})

describe('the state of a card', () => {
  it('is believed with our seal, and with no other', () => {
    const ours = renderCard([row({ service: 'api' })], sealed)
    expect(foldCard([ours], [row()], sealed).before(row())).toBeUndefined()
    expect(decodeState(foldCard([ours], [row()], sealed).body)?.map(({ service }) => service)).toContain('api')
    const [state = ''] = /<!-- ink-deploy:state .* -->/.exec(ours) ?? []
    const seals = [
      createSeal(new Secret('dk_test_of_others'), { id: '7', fullName: 'acme/shop' }, 12),
      createSeal(key, { id: '8', fullName: 'acme/shop' }, 12),
      createSeal(key, { id: '7', fullName: 'acme/shop' }, 13),
      () => 'f'.repeat(64),
      () => '',
      undefined,
    ]
    const others = [
      ...seals.map((other) => ours.replace(/<!-- ink-deploy:state .*$/s, withSeal(state, other))),
      ours.replace('"service":"api"', '"service":"app"'),
      `${ours}\n${withSeal(encodeState([forged]), () => 'a'.repeat(64))}`,
    ]
    for (const body of others) expect(foldCard([body], [row()], sealed).body).toBe(renderCard([row()], sealed))
    const [before, after] = [`${encodeState([forged])}\n${ours}`, `${ours}\n${encodeState([forged])}`]
    for (const body of [before, after])
      expect(foldCard([body], [row()], sealed).body).toBe(foldCard([ours], [row()], sealed).body)
  })

  it('says nothing from a day that has not come', () => {
    const body = renderCard([forged], sealed)
    expect(
      decodeState(foldCard([body], [row({ service: 'acme-shop-pr-1', target: 'pr-1' })], sealed).body),
    ).toHaveLength(1)
    expect(foldCard([body], [row()], sealed).body).toBe(renderCard([row()], sealed))
  })

  it('is left as it is by a run that cannot sign, and serves the next one that can', () => {
    const ours = renderCard([row()], sealed)
    const note = row({
      status: 'skipped',
      reason: 'This run has no secrets',
      run: { ...row().run, id: row().run.id + 1 },
    })
    const keyless = foldCard([ours], [note], SURROUNDINGS).body
    expect(keyless).toContain('This run has no secrets')
    expect(foldCard([keyless], [note], SURROUNDINGS).body).toBe(keyless)
    expect(seal && authenticState(keyless, seal)).toContain('ink-deploy:state')
    expect(foldCard([keyless], [row({ service: 'api' })], sealed).body).toBe(
      foldCard([ours], [row({ service: 'api' })], sealed).body,
    )
  })
})

describe('a comment that another action wrote as github-actions[bot]', () => {
  const stage = useStage()

  it('never becomes the card beside a sealed one, nor decides what the card says', async () => {
    const scene = await stage.scene()
    const { number, sha } = await scene.open('hello')
    const first = await scene.act('pull_request', { number })
    expect(first.told).toBe('live')
    const own = scene.repository.comments(number).map(({ id }) => id)
    const echo = `${CARD_MARKER}\n### 🟢 Preview is live\n${encodeState([{ ...forged, service: scene.preview(number) }])}`
    const other = scene.repository.comment(number, echo, 'github-actions[bot]')
    const again = await scene.act('pull_request', { action: 'reopened', number })
    expect(again.told).toBe('live')
    const comments = scene.repository.comments(number)
    expect(comments.map(({ id }) => id)).toEqual([...own, other.id])
    expect(comments.at(-1)?.body).toBe(echo)
    expect(decodeState(comments[0]?.body ?? '')).toMatchObject([{ commit: sha, status: 'live' }])
  })

  it('before there is a card is written over, and nothing of it stays', async () => {
    const scene = await stage.scene()
    const { number, sha } = await scene.open('hello')
    const echo = `${CARD_MARKER}\n${encodeState([{ ...forged, service: scene.preview(number) }])}`
    scene.repository.comment(number, echo, 'github-actions[bot]')
    expect((await scene.act('pull_request', { number })).told).toBe('live')
    const bodies = scene.repository.comments(number).map(({ body }) => body)
    expect(bodies.join('\n')).not.toMatch(/evil|2099|ffffff/)
    expect(scene.rows(number)).toMatchObject([{ commit: sha, status: 'live' }])
  })
})
