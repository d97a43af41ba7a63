// Random strings through sentencepiece (Python; pip install sentencepiece) and through @weft/tokenizer: ids and decoded text must be
// equal, for models as they are and for variants with user-defined symbols, unused pieces and other white space settings.
// node --conditions=@weft/source tooling/golden/fuzz-sentencepiece.ts MODEL... [--strings 100000] [--seed 1]
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { readSentencePieceModel, writeSentencePieceModel, type SentencePieceModel } from '../../packages/tokenizer/src/formats/sentencepiece-model.ts'
import { tokenizerFromSentencePiece } from '../../packages/tokenizer/src/index.ts'
import { createRandom, randomText, type Random } from './random-text.ts'

const { values, positionals } = parseArgs({ allowPositionals: true, options: { strings: { type: 'string', default: '100000' }, seed: { type: 'string', default: '1' } } })

const script = `
import json, sys, sentencepiece
m = sentencepiece.SentencePieceProcessor(model_file=sys.argv[1])
out = []
for t in json.load(sys.stdin):
    ids = m.encode(t)
    out.append([ids, m.decode(ids), m.decode(ids[: len(ids) // 2])])
print(json.dumps(out))
`

/** The model as it is, or changed in a few ways. */
const variant = (model: SentencePieceModel, random: Random): SentencePieceModel => {
  if (random.chance(0.3)) return model
  const pieces = model.pieces.map((piece) => {
    if (piece.type !== 'normal' || Array.from(piece.piece).length < 2) return piece
    if (random.chance(0.01)) return { ...piece, type: 'userDefined' as const }
    // The BPE of the reference takes unused pieces apart by the pair that it saw last; ours by the pieces that are left
    return model.algorithm === 'unigram' && random.chance(0.02) ? { ...piece, type: 'unused' as const } : piece
  })
  const normalizer = { ...model.normalizer, addDummyPrefix: random.chance(0.7), removeExtraWhitespaces: random.chance(0.5) }
  return { ...model, pieces, normalizer, treatWhitespaceAsSuffix: random.chance(0.3) }
}

const folder = mkdtempSync(join(tmpdir(), 'weft-fuzz-'))
const random = createRandom(Number(values.seed))
const perRound = 2000
let compared = 0
let different = 0
try {
  for (let round = 0; compared < Number(values.strings); round++) {
    const path = positionals[round % positionals.length]!
    const bytes = writeSentencePieceModel(variant(readSentencePieceModel(new Uint8Array(readFileSync(path)), path), random))
    const file = join(folder, 'm.model')
    writeFileSync(file, bytes)
    const tokenizer = tokenizerFromSentencePiece(bytes)
    const texts = Array.from({ length: perRound }, () => randomText(random).toWellFormed())
    const answers = JSON.parse(execFileSync(process.env['WEFT_PYTHON'] ?? 'python3', ['-c', script, file], { input: JSON.stringify(texts), maxBuffer: 2 ** 28 }).toString()) as [number[], string, string][]
    texts.forEach((text, i) => {
      const [ids, whole, half] = answers[i]!
      const mine = [...tokenizer.encode(text, { addSpecialTokens: false, allowSpecial: false })]
      const isSame = `${mine}` === `${ids}` && tokenizer.decode(ids) === whole && tokenizer.decode(ids.slice(0, Math.floor(ids.length / 2))) === half
      if (isSame || ++different > 20) return
      console.error(path, JSON.stringify(text), '\n ', ids.join(' '), '\n ', mine.join(' '), '\n ', JSON.stringify([whole, half]), '\n ', JSON.stringify([tokenizer.decode(ids), tokenizer.decode(ids.slice(0, Math.floor(ids.length / 2)))]))
    })
    compared += perRound
  }
} finally {
  rmSync(folder, { recursive: true })
}
console.log(`${compared} strings, ${different} differ`)
process.exitCode = different === 0 ? 0 : 1
