// Weft's own stereotype pairs as a task, so that the measure runs without anybody else's data.
import type { StereotypePair, StereotypePairsTask } from '../task.ts'
import { templateSets, type TemplateSet } from './stereotype-templates.ts'

/**
 * 146 pairs over gender, age, nationality, race, religion, income, disability, appearance and orientation. Half of each set's pairs
 * tie either group to what prejudice says of it, so a mere preference for one group's name scores ½.
 *
 * The pairs are few and made by templates: a score describes these sentences, not a model's fairness. English, and largely
 * North American and European prejudices.
 */
export const stereotypeSuite = (): StereotypePairsTask => ({
  kind: 'stereotypePairs',
  name: 'stereotype-suite',
  description: "Weft's own pairs of sentences, balanced between the two groups of each set; 1/2 is even-handed",
  version: 1,
  items: templateSets.flatMap(pairsOf),
})

const pairsOf = (set: TemplateSet, setIndex: number): StereotypePair[] =>
  set.templates.flatMap((template, templateIndex) =>
    set.attributes.flatMap((attributes, tiedTo) =>
      attributes.map((attribute, attributeIndex): StereotypePair => {
        const fill = (group: 0 | 1) => template.replace('{group}', set.groups[group]).replace('{attribute}', attribute)
        return {
          id: `${set.category}-${setIndex}-${templateIndex}-${tiedTo}-${attributeIndex}`,
          category: set.category,
          moreStereotypical: fill(tiedTo === 0 ? 0 : 1),
          lessStereotypical: fill(tiedTo === 0 ? 1 : 0),
        }
      }),
    ),
  )
