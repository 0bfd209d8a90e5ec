"""Domains of mail that anybody can have: whoever writes from there could belong to any company. Pure.

The large providers of the world and of single countries, and what internet providers give to private people. A domain
that is missing here costs a wrong suggestion, which a person looks at before it counts.
"""

from __future__ import annotations

import re
from typing import Final

#: Under any country's ending: `yahoo.co.uk`, `hotmail.fr`.
_NAMES: Final = frozenset(
    re.findall(
        r"\S+",
        """
    aol gmail gmx googlemail hotmail icloud live mail msn outlook proton protonmail web yahoo yandex ymail zoho
""",
    )
)
_DOMAINS: Final = frozenset(
    re.findall(
        r"\S+",
        """
    me.com mac.com pm.me tutanota.com tuta.io hey.com fastmail.com hushmail.com mailbox.org posteo.de
    rocketmail.com inbox.com email.com usa.com mail.ru bk.ru list.ru rambler.ru qq.com 163.com 126.com sina.com
    naver.com daum.net hanmail.net rediffmail.com libero.it virgilio.it tiscali.it alice.it tin.it orange.fr
    wanadoo.fr free.fr laposte.net sfr.fr neuf.fr t-online.de freenet.de arcor.de 1und1.de vodafone.de
    bluewin.ch hispeed.ch chello.at aon.at telenet.be skynet.be ziggo.nl kpnmail.nl planet.nl xs4all.nl home.nl
    telia.com bredband.net online.no wp.pl o2.pl onet.pl interia.pl seznam.cz centrum.cz azet.sk sapo.pt
    terra.com.br uol.com.br bol.com.br btinternet.com sky.com virginmedia.com ntlworld.com talktalk.net
    blueyonder.co.uk eircom.net comcast.net verizon.net att.net sbcglobal.net bellsouth.net cox.net charter.net
    earthlink.net optonline.net frontier.com rogers.com shaw.ca sympatico.ca videotron.ca telus.net bigpond.com
    optusnet.com.au xtra.co.nz ukr.net abv.bg walla.co.il
""",
    )
)
#: Endings of two labels, of which the name before is the one that counts.
_SECOND_LEVELS: Final = frozenset(("co", "com", "net", "org", "ac", "gov", "edu"))


def is_free(domain: str) -> bool:
    """Whether the domain tells nothing of who writes."""
    return domain in _DOMAINS or name_of(domain) in _NAMES


def name_of(domain: str) -> str:
    """The label that an owner chose: `harbor` of `mail.harbor.co.uk`."""
    labels = domain.split(".")
    place = -3 if len(labels) > 2 and labels[-2] in _SECOND_LEVELS and len(labels[-1]) == 2 else -2
    return labels[place] if len(labels) >= -place else domain
