"""Words of each language that tell nothing by themselves, and so are no terms.

Few, as Lucene's English ones are: articles, prepositions, conjunctions, pronouns and forms of to be
and to have that no name and no noun shares. Published lists of ten times as many lose words that
people look for, such as "lugar" and "force"; what is left is common, so it weighs little.
"""

from __future__ import annotations

# English: Lucene's ENGLISH_STOP_WORDS_SET, then pronouns, auxiliaries and question words.
_WORDS = {
    "en": """a an and are as at be but by for if in into is it no not of on or such that the their
        then there these they this to was will with about after all also any been being
        between both can could did do does during each few from had has have having he
        her his how i its itself may more most nor other our she should some than them
        through we were what when where which while who whom why would you your""",
    "da": """af at de den der det du eller en er et for fra han har hun i ikke jeg med men og om på
        sig som til var ved vi""",
    "de": """aber als am an auch auf aus bei das dass dem den der des die du ein eine einem einen
        einer eines er es für hat ich ihr im in ist mit nach nicht noch nur oder sich sie sind so
        um und vom von vor war werden wie wir wird zu zum zur über""",
    "es": """a al con de del e el en es ese esta este está fue ha hay la las le lo los me mi más ni
        no o para pero por que se ser si sin sobre son su sus te un una unas unos y ya""",
    "fi": """että hän ja joka jos kanssa kuin mikä mutta myös ne niin nyt oli on ovat se sen sekä
        sitä tai tämä vain""",
    "fr": """au aux avec c ce ces cette d dans de des du elle en est et eux il ils j je l la le les
        leur lui m mais n ne nous on ont ou par pas pour qu que qui s sa se ses son sont sur t un
        une vous y à""",
    "hu": """a az egy ez és hogy is meg nem van vagy""",
    "it": """a ad ai al alla alle anche che chi ci come con da dal dalla dei del della delle di e
        ed gli ha i il in io l la le lo ma nel nella non o per più se si sono su sul sulla un una
        uno è""",
    "nl": """aan als bij dat de deze die dit door een en er het hij ik in is maar met naar niet nog
        of om ook op over te tot uit van voor was wat we worden wordt ze zich zijn""",
    "no": """at av de den der det du eller en er et for fra han har hun i ikke jeg med men og om på
        seg som til var ved vi""",
    "pt": """a ao aos as com da das de do dos e ela ele em entre era essa esse esta este está eu
        foi há isso já mais mas na nas no nos não o os ou para pela pelo por que se sem ser seu sua
        são também um uma à às é""",
    "ro": """a al ale ca care ce cu că de din e este fi în la mai nu o pe pentru prin sau se si sunt
        un și""",
    "ru": """а бы был была были было в вы для до его ее если ещё же за и из или их к как ко мы на не
        но о об он она они от по при с со так то у что это я""",
    "sv": """att av de den det du eller en ett från för han har hon i inte jag med men och om på sig
        som till var vi är""",
    "tr": """bir bu da de gibi ile için ki ne o ve veya ya""",
}

STOP_WORDS = {code: frozenset(words.split()) for code, words in _WORDS.items()}
"""By ISO 639-1's code; languages without an entry keep all words."""
