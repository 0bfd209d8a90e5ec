"""What people call a password, and words that they write behind it and that are none.

The lists would rather miss a word: what is not among them is cut out where "Password:" stands before it.
"""

from __future__ import annotations

import re
from typing import Final

REMOVED = "[removed: looks like a password]"

_WHAT_IS_LOCKED: Final = (
    r"door|gate|alarm|safe|building|garage|tür|haustür|tor|tresor|porte|portail|alarme|puerta|alarma|alarmanlage"
)
#: "MFA code", "door code", "Türcode", "code for the alarm", "code de la porte", "código de acceso".
_CODE: Final = (
    r"(?:pin|puk|mfa|2fa|t?otp|sms|access|entry|entrance|(?:un)?lock(?:box)?|security|verification|back-?up|recovery"
    rf"|one[- ]time|einmal|zugangs|zutritts|sicherheits|bestätigungs|entsperr|{_WHAT_IS_LOCKED})[-_ ]?codes?"
    rf"|codes? (?:(?:for|of|to|für|zu[rm]?|de|du|pour) )?(?:(?:the|der|die|den|das|la) |[dl]['’])?(?:{_WHAT_IS_LOCKED})"
    r"|codes? (?:d['’](?:accès|entrée)|de (?:sécurité|vérification)|pin|mfa)"
    rf"|códigos? (?:de )?(?:la )?(?:acceso|entrada|seguridad|verificación|pin|{_WHAT_IS_LOCKED})"
)
#: "API key", "api_key", "SharedAccessKey", "aws_secret_access_key".
_KEY: Final = (
    r"(?:api|access|account|auth|encryption|licen[cs]e|master|network|pre[-_ ]?shared|private|recovery|secret|shared"
    r"|signing|storage|subscription|wi-?fi|wpa2?)[-_ ]?keys?"
)
MEANING = (
    rf"{_KEY}|{_CODE}|otp seed|clé wi-?fi"
    r"|(?<!kee)(?<!last)(?<!by)pass(?:phrase|code|wd)?s?|p(?:as|s)swd|pwd|psw|pw|psk|pin|puk|pass[- ]?key"
    r"|\w{0,30}(?:pass?wor[dt]|pssword|passwrod|passwörter|kennwort|kennwörter|wachtwoord)s?|(?:kenn|pass)w\.?"
    r"|(?:lizenz|netzwerk|produkt)?schlüssel|[m2]fa(?=[:=] ?\d{3} ?\d{3}(?!\w))"
    r"|mots? de passe(?: d['’]application)?|mdp|clé|contrase[ñn]as?(?: de aplicación)?|claves?|senhas?"
    r"|palavra-passe|hasło|lösenord|adgangskode|kodeord|passord|salasana|heslo|jelszó|şifre|parola|пароль"
    r"|(?:client[-_ ]?)?secret"
    r"|snmp[- ]community|(?<!key)(?<!max)token|otp|wpa[23]?|wep"
)
#: Where a word begins: also behind "_", and where a great letter follows a small one, as in "AdminPW".
BEGINS: Final = r"(?:(?<![^\W_])|(?-i:(?<=[a-z])(?=[A-Z])))"
ENDS: Final = r"(?![^\W_])"
SECRET_WORD = rf"(?=\w){BEGINS}(?:{MEANING})\d{{0,2}}{ENDS}"
"""Of an expression that passes over case: what people call a password, in several languages."""

_STATES: Final = """
    expired expires expiring unknown missing wrong incorrect invalid valid correct required optional enabled disabled
    active inactive locked unlocked blocked changed unchanged reset forgotten lost stolen leaked compromised exposed
    weak strong old outdated empty blank none no yes off on ok okay set unset hidden masked redacted removed protected
    encrypted revoked rejected accepted refused denied failed working broken pending n/a sent received needed mandatory
    available unavailable confidential true false null todo tbd
    laps keepass keepassxc bitwarden 1password lastpass keeper dashlane passbolt passportal hudu itglue vault
    thanks thank regards hello hi dear cheers
    abgelaufen unbekannt falsch ungültig gültig richtig korrekt erforderlich aktiv inaktiv aktiviert deaktiviert
    gesperrt entsperrt geändert unverändert zurückgesetzt vergessen verloren fehlt fehlend leer ja nein keine keines
    pflicht notwendig nötig sicher unsicher geschützt ausstehend nicht danke hallo gruß grüße
    expiré expirée inconnu inconnue incorrecte invalide valide obligatoire requis requise activé activée désactivé
    désactivée bloqué bloquée verrouillé changé modifié réinitialisé oublié oubliée perdu manquant vide aucun oui non
    faux faible erroné merci bonjour
    caducado caducada expirado expirada vencida vencido desconocida desconocido incorrecta incorrecto inválida inválido
    válida válido obligatoria requerida activado activada desactivado desactivada bloqueada bloqueado cambiada olvidada
    perdida vacía ninguna ninguno sí gracias hola
"""
#: What is said of a password, also alone: "Password: expired", "OTP: aktiviert".
STATES: Final = frozenset(_STATES.split())

_OPENERS: Final = """
    a an the this that these those it its is are was were be been has have had do does did can cannot can't could will
    would should must may might not never always already again also still only just now then and or but if when where
    while because since so as at by for from in into of on out over to under until up with within without about after
    before between during per via i we you he she they my our your his her their me us him them who what which why how
    all any both each every same similar different see ask check call contact please use try enter type reset change
    changed choose create set get give given go keep kept stored saved send sent let look need needs open read run
    shared told users user there here new one two three four five six eight ten twelve at least minimum maximum nobody
    everybody someone unable having had being cant dont doesnt won't don't doesn't isn't shown written known chosen held
    found given taken gone done made put
    der die das den dem des ein eine einen einem einer dieses diese dieser ist sind war wurde wird werden hat haben kann
    kannst können muss müssen soll sollte darf nicht nie immer schon noch auch nur jetzt dann und oder aber wenn wo weil
    seit so wie als an am auf aus bei bis durch für im in mit nach ohne über um unter von vor zu zum zur ich wir du sie
    er es man mein meine unser ihr ihre siehe steht liegt lässt läuft bitte nutze verwende gleich gleiches dasselbe
    liegen beim mindestens niemand jemand wegen
    le la les un une des ce cette est sont était a ont peut doit doivent pas jamais toujours déjà encore aussi et ou
    mais si quand où car depuis comme à au aux avec chez dans de du en par pour sans sous sur je nous vous il elle ils
    elles mon ma mes notre votre son sa voir voyez veuillez merci identique même minimum trop personne ne n'est
    el los las una unos este esta es está son era fue ha han puede debe deben ya todavía también y o pero cuando donde
    porque desde como con en por para sin sobre yo nosotros usted ustedes él ella ellos mi su sus nuestro ver véase
    consulte igual misma mismo mínimo nadie no se
"""
#: How a sentence goes on: no password where more words follow, as in "Password: see IT Glue".
OPENERS: Final = frozenset(_OPENERS.split())
#: Ends of English words that say what happens to something.
_HAPPENING: Final = re.compile(r"[a-z]{3,}(?:ed|ing|ly)")
UNIT: Final = re.compile(
    r"[^\S\n]*(?:-[^\S\n]*\d+[^\S\n]*)?(?:or more |(?:bis|to|à|a) \d+ )?"
    r"(?:characters?|chars?|letters?|digits?|days?|weeks?|months?|years?|hours?"
    r"|minutes?|mins?|seconds?|times?|attempts?|users?|zeichen|buchstaben|stellen|tagen?|wochen?|monaten?|jahren?|stunden?"
    r"|minuten|mal|versuchen?|caractères|chiffres|jours?|semaines?|mois|ans?|heures?|fois|caracteres|cifras|días?"
    r"|semanas?|meses|años?|horas?|minutos|veces|%)(?![^\W_])",
    re.IGNORECASE,
)
"""What a number before it is a number of."""

#: What somebody asks for, right before the word: no password follows "Reset password: Anna Meyer".
ASKED: Final = re.compile(
    r"\b(?:re-?set|chang(?:e|ing)|forg[oe]t(?:ten)?|lost|expired|wrong|invalid|incorrect|bad|unlock|update|recover)"
    r"(?:[^\S\n]+(?:a|the|my|our|your|his|her|their|user|users|ad|windows))?[^\S\n]+\Z",
    re.IGNORECASE,
)


_TAG: Final = re.compile(r"</?[a-z][^<>\n]{0,100}>", re.IGNORECASE)
_EDGES: Final = " \t\n-–—*_`~\\.,;:!?()[]{}\"'“”‘’‚«»„…<>|¿¡"
_LETTERS: Final = re.compile(r"[^\W\d_]+(?:(?:['’/.,;:…\-()]|\.{3})[^\W\d_]+){0,8}")
_TWO_CASES: Final = re.compile(r"[a-zß-öø-ÿ][A-Z]")
#: What has digits or signs in it and opens nothing: days, times, places in a list, addresses, names of products.
_HARMLESS: Final = re.compile(
    r"\d{1,4}[-./]\d{1,2}[-./]\d{1,4}(?:[T_]\d\d:\d\d[\d:.]{0,12}(?:Z|[+\-]\d\d:?\d\d)?)?|HK(?:LM|CU|CR|CC|U|EY_\w{4,20}):?\\.*"
    r"|\d{1,2}[:.]\d\d(?::\d\d)?(?:-\d{1,2}:\d\d)?(?:am|pm|h)?|\d{1,3}(?:st|nd|rd|th|x|d|h|m|%|\+)?"
    r"|[\w.+\-]{1,60}@[\w\-]{1,60}(?:\.[\w\-]{1,30})+|https?://[^\s?#]*|\$\{\w{1,60}\}?|\$\(.*"
    r"|\d{1,3}-?(?:stellig\w{0,2}|digits?|char\w{0,8}|letters?|zeichen|days?|tage?)|wpa[23]?(?:[-/][a-z]{1,10}[23]?){0,3}"
    r"|(?:office|windows|win|o|m|exchange|server|microsoft|outlook|word|excel|sap|id|no|nr)[-#]?\d{1,4}",
    re.IGNORECASE,
)
#: What is none even where "Password:" stands before it: an address, a key of Windows' registry, a variable, "3x".
_NO_VALUE: Final = re.compile(
    r"https?://[^\s?#@]*|HK(?:LM|CU|CR|CC|U|EY_[A-Z_]{4,20})(?:[:\\].*)?"
    r"|\$[A-Z]{1,20}(?:_[A-Z0-9]{1,20}){1,5}|\$\{\w{1,60}|\d{1,2}[xX]"
)
_MORE: Final = re.compile(r"[^\S\n]+(?!(?!\d{1,2}:\d\d)[^\s:]{1,30}[:=])[\w(\"'„“]")
#: Behind a first name that stands behind "Password:", of whom a sentence tells: "Password: Anna Meyer cannot log in".
_OF_A_PERSON: Final = re.compile(
    r"[^\S\n]+[A-ZÄÖÜ][\w'’\-]{1,30}[^\S\n]+(?:cannot|can't|can|could|has|needs|forgot|called|asks|kann|konnte|hat|bittet"
    r"|(?:ne )?peut|(?:no )?puede)(?![^\W_])"
)
#: "1." at the beginning of a list.
_PLACE: Final = re.compile(r"\d{1,3}[.)]")
_BETWEEN: Final = re.compile(r"\([^()]{0,60}\)|[\s_*`~:]+")
#: Words before the name of a password that leave it one: "New password", "User password".
_OF_A_NAME: Final = frozenset(("new", "old", "user", "users", "saved", "shared", "active", "current"))
_ASKING: Final = """
    resets resetting forgot forgotten changing update updating recover save saving remember manage generate show hide
    confirm verify add remove delete problem problems issue issues error trouble question help request about locked
    anfrage frage hilfe fehler vergessenes problème problèmes erreur aide oubli changement réinitialisation problema
    ayuda cambio restablecer cambiar olvidé
"""
_NO_NAME: Final = frozenset(_ASKING.split())
_BEHIND_NAME: Final = frozenset(
    ("code", "value", "hint", "seed", "old", "new", "current", "alt", "neu", "#", "no", "nr", "wert", "número", "key")
)


#: What somebody does to a password before a new one follows: "reset to Gr33n!", "geändert auf Gr33n!".
CHANGED: Final = re.compile(
    r"\b(?:(?:re-?)?set(?:ting)?|chang(?:e[ds]?|ing)|updat(?:e[ds]?|ing)|switch(?:ed)?|turned|put|geändert|ändern"
    r"|issued|vergeben|(?:zurück|neu )?(?:ge)?setz(?:t|en)|gestellt|umgestellt|changée?|modifiée?|réinitialisée?"
    r"|remise?|mise?|définie?|cambi(?:ad[oa]|[óé])|pus[eo]|restablecid[oa]|actualizad[oa]|puest[oa])\b",
    re.IGNORECASE,
)
#: Names of more than one, behind which a list may stand.
MANY: Final = re.compile(
    r"(?:.*(?:words|wörter|codes|keys|pins|secrets)|mots de passe|contrase[ñn]as|claves|senhas|creds|credentials"
    r"|zugangsdaten|identifiants)\Z",
    re.IGNORECASE,
)
#: A run of something, and no password: "Tests pass: 24/24", "Second pass: phases 9 to 16".
_RUN_BEFORE: Final = re.compile(
    r"\b(?:tests?|checks?|builds?|initial|first|second|third|fourth|next|last|final|each|every|one|single|boarding)"
    r"[^\S\n]+\Z",
    re.IGNORECASE,
)
#: "pass: VIP-Gate 3".
_GATE: Final = re.compile(r"\W{0,4}[^\W\d_]{2,20}-[^\W\d_]{2,20}[^\S\n]\d{1,2}(?![^\W_])")
_DIGIT: Final = re.compile(r"\d")
_LETTER: Final = re.compile(r"[^\W\d_]")
#: Words beside "Pin" in a table of a plug's wires.
_PLUG: Final = re.compile(
    r"\b(?:volt(?:age|s)?|signal|gpio|wires?|colou?r|function|direction|connector|spannung|farbe|ader|belegung|tension"
    r"|couleur|voltaje|tensión)\b",
    re.IGNORECASE,
)
_IS_PIN: Final = re.compile(r"\W*pins?(?: ?(?:#|no\.?|nr\.?|number|nummer))?\W*", re.IGNORECASE)
#: Names that look like passwords and are those of updates, errors, tickets, machines, versions and addresses.
_REFERENCE: Final = re.compile(
    r"KB\d{5,8}|CVE-\d{4}-\d{3,7}|0[xX][0-9a-fA-F]{1,16}|AADSTS\d{4,8}|-\d{8,10}|#\d{1,10}|[Ee]rr(?:or)?[-_]?\d{1,6}"
    r"|(?:INC|REQ|RITM|CHG|PRB|TKT|SR|CS|T)-?\d{3,10}|[A-Z]{2,4}\d{1,3}|[A-Z]{2,10}(?:-[A-Z0-9]{1,15}){1,3}"
    r"|[vV]?\d{1,5}(?:\.\d{1,6}){1,4}|(?:[a-z][a-z0-9\-]{0,40}\.){1,5}[a-z]{2,12}|https?://.*|[A-Za-z]:\\.*"
    r"|\d{1,5}[-/]\d{1,5}|\+\d{1,14}|<.*>|\[.*\]|\{.*\}"
)


def is_run(word: str, before: str, behind: str) -> bool:
    """Whether "pass" means a run of something, by the text right before it, or a card for the gate named behind it."""
    return word.lower() == "pass" and bool(_RUN_BEFORE.search(before) or _GATE.match(behind))


#: What is numbered and no code: "PIN for extension 4821", "code for ticket 48213".
NUMBERED: Final = re.compile(
    r"\b(?:tickets?|case|order|cards?|terminals?|karte|ext(?:ension)?|phone|line|room|user|account|id|n[ro]|sn|serial|number|build"
    r"|version|kb|office|server|windows|durchwahl|zimmer|raum|konto|benutzer|nummer|bureau|compte|poste|cuenta|oficina)[.:#]?[^\S\n]*\Z",
    re.IGNORECASE,
)


def is_alike(one: str, other: str) -> bool:
    """Whether two codes are written alike, as those of one list are: digits and letters at the same places."""
    first, second = (_LETTER.sub("a", _DIGIT.sub("0", core_of(each))) for each in (one, other))
    return first == second and "0" in first and len(first) > 3


def is_plug(cells: list[str]) -> bool:
    """Whether the heads of a table are those of a plug's pins."""
    return any(_IS_PIN.fullmatch(one) for one in cells) and any(_PLUG.search(one) for one in cells)


#: Four times four letters, as the passwords for apps of Google and Microsoft are shown, and seeds in base32 (RFC 4648).
GROUPS: Final = r"(?:[a-z2-7]{4}[ -]){3}[a-z2-7]{4}(?:(?:[ -][a-z2-7]{4}){4})?(?![^\W_])"
_GROUPED: Final = re.compile(GROUPS, re.IGNORECASE)


def is_grouped(words: str) -> bool:
    """Whether four groups of four letters are a password, and not four words of a sentence."""
    is_shown = bool(_GROUPED.fullmatch(words)) and any(map(str.isalpha, words))
    return is_shown and not any(goes_on(one) for one in re.split("[ -]", words.lower()))


def goes_on(word: str) -> bool:
    """Whether a sentence goes on with this word, given in lower case."""
    return word in OPENERS or word in STATES or bool(_HAPPENING.fullmatch(word))


def core_of(word: str) -> str:
    """A word without the marks, tags and stops around it."""
    return (_TAG.sub("", word) if "<" in word else word).strip(_EDGES)


def has_signs(word: str) -> bool:
    """Whether a word has digits or signs in it, and is no day, time, mail address or the like."""
    core = core_of(word)
    return bool(core) and not _LETTERS.fullmatch(core) and not _HARMLESS.fullmatch(core)


def is_word(word: str) -> bool:
    """Whether it is letters alone, as a password of plain words begins."""
    return word.isalpha()


def looks_secret(word: str) -> bool:
    """Whether a word looks like a password: digits or signs in it, or small letters before great ones."""
    return has_signs(word) or bool(_TWO_CASES.search(core_of(word)))


def stands_out(word: str) -> bool:
    """Whether a word in the midst of a sentence looks like a password, and not like the name of something."""
    core = core_of(word)
    is_drawn = not any(map(str.isalnum, core))  # the line below a heading
    return has_signs(word) and not is_drawn and not _REFERENCE.fullmatch(core) and core.lower() not in STATES


def is_value(word: str, rest: str, *, at_once: bool) -> bool:
    """Whether what stands behind "Password:" is the password. `rest` is what follows it; `at_once` = on the same line.

    A word alone is, but for what is said of passwords; where a sentence begins, it is none.
    """
    core = core_of(word)
    if not core or _NO_VALUE.fullmatch(core) or (core.isdecimal() and len(core) < 4 and UNIT.match(rest)):
        return False
    if core.lower() in STATES or (core.istitle() and _OF_A_PERSON.match(rest)):
        return False
    if looks_secret(core) or (core[:1].isdigit() and not _PLACE.match(word)):
        return True
    return not (_MORE.match(rest) and (not at_once or goes_on(core.lower())))


def names_secret(label: str, secret: re.Pattern[str]) -> bool:
    """Whether a label is the name of something secret, as "Admin password" and "Passwort (alt)" are.

    A sentence with the word in it is no name: "Password reset for Anna", "Reset a password", "Password policy".
    """
    words = _BETWEEN.sub(" ", label).split()
    while len(words) > 1 and (words[-1].lower() in _BEHIND_NAME or words[-1].isdecimal()):
        if _ends_in(words, secret):
            break
        words.pop()
    found = _ends_in(words, secret)
    before = " ".join(words)[: found.start()].lower().split() if found else []
    is_sentence = any(one in _NO_NAME or (one not in _OF_A_NAME and goes_on(one)) for one in before)
    return found is not None and len(before) <= 4 and not is_sentence


def _ends_in(words: list[str], secret: re.Pattern[str]) -> re.Match[str] | None:
    text = " ".join(words)
    return next((one for one in secret.finditer(text) if one.end() == len(text)), None)
