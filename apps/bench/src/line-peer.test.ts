// Real processes: small Node programs in a peer's place.
import { expect, test } from 'vitest'
import { numberOf, numbersOf, startLinePeer } from './line-peer.ts'

const peer = (program: string) => startLinePeer('a peer', process.execPath, ['-e', `require('readline').createInterface({ input: process.stdin }).on('line', (line) => { ${program} })`])

test('answers come in the order of the questions', async () => {
  const one = peer('console.log(JSON.stringify({ said: line }))')
  try {
    expect(await one.ask('first')).toEqual({ said: 'first' })
    expect(await one.ask('second')).toEqual({ said: 'second' })
  } finally {
    one.close()
  }
})

test("an error is told with the peer's words", async () => {
  const one = peer(`console.log('{"error": "no such kind"}')`)
  await expect(one.ask('{"kind":"x"}')).rejects.toThrow('a peer could not do {"kind":"x"}: no such kind')
  one.close()
})

test('a line that is not JSON is shown', async () => {
  const one = peer(`console.log('Loading model')`)
  await expect(one.ask('go')).rejects.toThrow(/a peer answered something that is not JSON: Loading model/)
  one.close()
})

test('a peer that dies, and every question after that', async () => {
  const one = peer('process.exit(1)')
  await expect(one.ask('go')).rejects.toThrow(/a peer ended without an answer to go/)
  await expect(one.ask('again')).rejects.toThrow(/a peer ended without an answer to again/)
})

test('a program that is not there', async () => {
  const one = startLinePeer('a peer', '/nowhere/program', [])
  await expect(one.ask('go')).rejects.toThrow(/a peer ended without an answer to go: .*ENOENT/)
})

test('what an answer must hold', () => {
  expect(numberOf({ seconds: 2 }, 'seconds')).toBe(2)
  expect(() => numberOf({ seconds: '2' }, 'seconds')).toThrow('expected a number seconds in the peer\'s answer, got "2"')
  expect(numbersOf({ losses: [1, 2] }, 'losses')).toEqual([1, 2])
  expect(() => numbersOf({ losses: [1, null] }, 'losses')).toThrow('expected numbers losses')
})
