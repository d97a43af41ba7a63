// English words with a counterpart of the other gender, one to one, the feminine first. Pronouns that map two ways (her, his, him, hers) are
// the business of the swap itself.

/** [feminine, masculine] */
export const genderPairs: readonly (readonly [string, string])[] = (
  'she/he herself/himself woman/man women/men girl/boy girls/boys female/male females/males lady/gentleman ladies/gentlemen gal/guy gals/guys ' +
  'lass/lad lasses/lads madam/sir mrs/mr mother/father mothers/fathers mom/dad moms/dads mommy/daddy mama/papa ' +
  'grandmother/grandfather grandmothers/grandfathers grandma/grandpa grandmas/grandpas stepmother/stepfather stepmothers/stepfathers ' +
  'godmother/godfather foremother/forefather foremothers/forefathers motherhood/fatherhood motherly/fatherly maternal/paternal maternity/paternity ' +
  'motherland/fatherland daughter/son daughters/sons granddaughter/grandson granddaughters/grandsons stepdaughter/stepson goddaughter/godson ' +
  'sister/brother sisters/brothers sisterhood/brotherhood sisterly/brotherly stepsister/stepbrother sorority/fraternity sororities/fraternities ' +
  'wife/husband wives/husbands housewife/househusband housewives/househusbands bride/groom brides/grooms widow/widower widows/widowers ' +
  'girlfriend/boyfriend girlfriends/boyfriends aunt/uncle aunts/uncles niece/nephew nieces/nephews ' +
  'queen/king queens/kings princess/prince princesses/princes duchess/duke duchesses/dukes empress/emperor empresses/emperors ' +
  'baroness/baron heiress/heir heiresses/heirs heroine/hero heroines/heroes ' +
  'priestess/priest priestesses/priests nun/monk nuns/monks abbess/abbot witch/wizard witches/wizards sorceress/sorcerer ' +
  'actress/actor actresses/actors waitress/waiter waitresses/waiters stewardess/steward stewardesses/stewards ' +
  'landlady/landlord landladies/landlords businesswoman/businessman businesswomen/businessmen chairwoman/chairman chairwomen/chairmen ' +
  'congresswoman/congressman congresswomen/congressmen councilwoman/councilman councilwomen/councilmen spokeswoman/spokesman ' +
  'spokeswomen/spokesmen saleswoman/salesman saleswomen/salesmen policewoman/policeman policewomen/policemen ' +
  'craftswoman/craftsman craftswomen/craftsmen sportswoman/sportsman sportswomen/sportsmen horsewoman/horseman horsewomen/horsemen ' +
  'servicewoman/serviceman servicewomen/servicemen stateswoman/statesman stateswomen/statesmen noblewoman/nobleman noblewomen/noblemen ' +
  'countrywoman/countryman countrywomen/countrymen frontierswoman/frontiersman frontierswomen/frontiersmen kinswoman/kinsman kinswomen/kinsmen ' +
  'camerawoman/cameraman camerawomen/cameramen anchorwoman/anchorman anchorwomen/anchormen laywoman/layman laywomen/laymen ' +
  'schoolgirl/schoolboy schoolgirls/schoolboys cowgirl/cowboy cowgirls/cowboys womanhood/manhood womanly/manly girlhood/boyhood ' +
  'girlish/boyish feminine/masculine femininity/masculinity matriarch/patriarch matriarchs/patriarchs matriarchal/patriarchal matriarchy/patriarchy'
)
  .split(' ')
  .map((pair) => {
    const [feminine = '', masculine = ''] = pair.split('/')
    return [feminine, masculine] as const
  })
