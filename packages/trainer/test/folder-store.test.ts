// Checkpoints on a disk: whole or not there, also where a write fails.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { folderStore } from '../src/node.ts'

let folder: string
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'weft-store-'))))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const state = (byte: number) => ({ 'training-state.safetensors': new Uint8Array(100).fill(byte) })
const diskFull = { ...state(3), 'model.bin': async () => Promise.reject(Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })) }

const firstByte = async (name: string): Promise<number> => {
  const source = await folderStore(folder).read(name, 'training-state.safetensors')
  try {
    return (await source.read(0, 1))[0]!
  } finally {
    await source.close?.()
  }
}

test('a full disk is an error that leaves the older checkpoint and nothing half written', async () => {
  const store = folderStore(folder)
  await store.write('step-1', state(1))
  await expect(store.write('step-2', diskFull)).rejects.toThrow(/no space is left/)
  expect(await store.list()).toEqual(['step-1'])
  expect(readdirSync(folder)).toEqual(['step-1'])
})

test('a failed rewrite leaves the checkpoint of that name as it was', async () => {
  const store = folderStore(folder)
  await store.write('step-1', state(1))
  await expect(store.write('step-1', diskFull)).rejects.toThrow(/no space is left/)
  expect(await firstByte('step-1')).toBe(1)
  await store.write('step-1', state(2))
  expect(await firstByte('step-1')).toBe(2)
  expect(readdirSync(folder)).toEqual(['step-1'])
})
