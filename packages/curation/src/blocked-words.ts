// A short list of our own: English obscenities and slurs that hardly have another meaning. It is crude by design, as every list is: it
// misses insults without such words and hits quotations. Give `blocklist` a list of yours for anything that matters.

/** Offensive by nature. */
export const blockedWords: readonly string[] = (
  'arsehole arseholes asshole assholes bastard bastards bitch bitches bitching blowjob blowjobs bollocks bukkake bullshit clusterfuck ' +
  'cocksucker cocksuckers creampie cum cumshot cunt cunts deepthroat dickhead dickheads dildo dildos dipshit douchebag douchebags ' +
  'dumbass fuck fucked fucker fuckers fucking fuckwit gangbang goddamn handjob hardcore_porn hentai horseshit jackass jackoff ' +
  'jerkoff jizz milf milfs motherfucker motherfuckers motherfucking nympho orgasm orgies piss_off pissed_off porn porno pornography ' +
  'prick pussy pussies rimjob schlong shit shite shithead shitheads shitty skank slut sluts slutty threesome tits titties twat twats ' +
  'wank wanker wankers wanking whore whores xxx ' +
  'chink chinks coon coons dyke dykes fag faggot faggots fags gook gooks kike kikes nigga niggas nigger niggers paki pakis ' +
  'raghead ragheads retard retarded retards shemale shemales spic spics tranny trannies wetback wetbacks'
)
  .split(' ')
  .map((phrase) => phrase.replaceAll('_', ' '))
