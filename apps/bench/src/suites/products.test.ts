import { expect, test } from 'vitest'
import { fullProducts, squareProduct } from './products.ts'

test('no two products have a name in common: a name is what figures are compared by', () => {
  expect(new Set(fullProducts.map(({ name }) => name)).size).toBe(fullProducts.length)
})

test('names say what is multiplied', () => {
  expect(squareProduct(64, 'f32').name).toBe('64×64')
  expect(squareProduct(64, 'bf16').name).toBe('64×64, bf16')
  expect(fullProducts.find(({ batch, dtype }) => batch > 1 && dtype === 'f32')!.name).toBe('attention scores: 48 of 256×64 · 64×256ᵀ, f32')
})
