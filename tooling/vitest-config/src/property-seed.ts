// Property tests draw the same samples in every run, so that a red run is red for a reason. WEFT_FUZZ=1 draws new ones, to look for more.
import { configureGlobal } from 'fast-check'

if (process.env['WEFT_FUZZ'] === undefined) configureGlobal({ seed: 20_261_125 })
