#include "bundle/report_text.h"

#include <string.h>
#include <strings.h>

#define PLURAL_FORMS 2

static const char *const tags[REPORT_LANGS] = {"en", "fr"};

static const char *const texts[TEXTS][REPORT_LANGS] = {
    [TEXT_TITLE] = {"A copy of your personal data", "Copie de vos données personnelles"},
    [TEXT_SKIP] = {"Skip to the content", "Aller au contenu"},
    [TEXT_CONTENTS] = {"Contents", "Sommaire"},
    [TEXT_PREPARED] = {"Prepared on {0}", "Établie le {0}"},
    [TEXT_LEAD] =
        {"This is a copy of the personal data that {0} holds about you: {1} and {2}, from {3}.",
         "Voici une copie des données personnelles que {0} détient à votre sujet\u00a0: {1} et {2}, "
         "provenant de {3}."},
    [TEXT_NOTHING] =
        {"Nothing was found. {0} searched {1} and found no personal data about you.",
         "Rien n’a été trouvé. {0} a cherché dans {1} et n’y a trouvé aucune donnée personnelle à "
         "votre sujet."},
    [TEXT_NOTHING_PARTIAL] =
        {"The systems that answered hold no personal data about you.",
         "Les systèmes qui ont répondu ne détiennent aucune donnée personnelle à votre sujet."},
    [TEXT_COMPLETE] = {"Every system that was searched answered in full.",
                       "Tous les systèmes interrogés ont répondu intégralement."},
    [TEXT_PARTIAL] = {"This copy is not complete: {0} did not answer in full.",
                      "Cette copie est incomplète\u00a0: réponse partielle ou absente de {0}."},
    [TEXT_SEE_MISSING] = {"See what is missing", "Voir ce qui manque"},

    [TEXT_WHO] = {"Who answers you", "Qui vous répond"},
    [TEXT_CONTROLLER] = {"Responsible for your data", "Responsable de vos données"},
    [TEXT_CONTACT] = {"Contact", "Contact"},
    [TEXT_COMPLAINTS] = {"Where you may complain", "Où adresser une réclamation"},
    [TEXT_NOT_GIVEN] = {"not given", "non communiqué"},

    [TEXT_ASKED] = {"What you asked for", "Ce que vous avez demandé"},
    [TEXT_REQUEST_ID] = {"Request number", "Numéro de la demande"},
    [TEXT_REQUEST_TYPE] = {"You asked for", "Vous avez demandé"},
    [TEXT_TYPE_ACCESS] = {"a copy of your data (access)", "une copie de vos données (accès)"},
    [TEXT_TYPE_PORTABILITY] = {"your data to take elsewhere (portability)",
                               "vos données pour les transmettre ailleurs (portabilité)"},
    [TEXT_REGULATION] = {"Under", "En vertu du droit"},
    [TEXT_GDPR] = {"General Data Protection Regulation (GDPR)",
                   "Règlement général sur la protection des données (RGPD)"},
    [TEXT_CCPA] = {"California Consumer Privacy Act (CCPA)",
                   "California Consumer Privacy Act (CCPA), loi californienne"},
    [TEXT_RECEIVED] = {"Received", "Reçue"},
    [TEXT_ANSWERED] = {"Answered", "Traitée"},
    [TEXT_SEARCHED_BY] = {"Searched by", "Recherche effectuée avec"},
    [TEXT_FROM_REQUEST] = {"from your request", "indiqué dans votre demande"},
    [TEXT_FROM_SOURCE] = {"found in {0}", "trouvé dans {0}"},

    [TEXT_SEARCHED] = {"Where we looked", "Où nous avons cherché"},
    [TEXT_SEARCHED_INTRO] =
        {"All connected systems are listed, whether or not they hold data about you.",
         "Tous les systèmes raccordés sont listés, qu’ils contiennent ou non des données à votre "
         "sujet."},
    [TEXT_SYSTEM] = {"System", "Système"},
    [TEXT_USED_FOR] = {"Used for: {0}", "Finalité\u00a0: {0}"},
    [TEXT_RESULT] = {"Result", "Résultat"},

    [TEXT_MISSING] = {"What is missing", "Ce qui manque"},
    [TEXT_MISSING_INTRO] =
        {"The following could not be given to you. You may ask {0} for it again.",
         "Les éléments suivants n’ont pas pu vous être remis. Vous pouvez les demander à nouveau à "
         "{0}."},
    [TEXT_REASON_UNKNOWN] = {"It could not be read, for a technical reason.",
                             "La lecture a échoué pour une raison technique."},
    [TEXT_REASON_CODE] = {"Code {0}", "Code {0}"},

    [TEXT_FOUND] = {"What this copy contains", "Ce que contient cette copie"},
    [TEXT_FOUND_INTRO] =
        {"Each line is one kind of data. The file holds all of its records.",
         "Chaque ligne est un type de données. Le fichier contient tous ses enregistrements."},
    [TEXT_COLLECTION] = {"Data", "Données"},
    [TEXT_CATEGORY] = {"Category: {0}", "Catégorie\u00a0: {0}"},
    [TEXT_RECORDS] = {"Records", "Enregistrements"},
    [TEXT_FILES] = {"Files", "Fichiers"},
    [TEXT_SIZE] = {"Size", "Taille"},
    [TEXT_TOTAL] = {"Total", "Total"},

    [TEXT_DATA] = {"Your data", "Vos données"},
    [TEXT_SHOWN] = {"{0} of {1} shown here.", "Affichage de {0} sur {1}."},
    [TEXT_ALL_RECORDS_IN] = {"All records:", "Tous les enregistrements\u00a0:"},
    [TEXT_FILES_IN] = {"{0}, with their names:", "{0}, avec leurs noms\u00a0:"},
    [TEXT_RECORD] = {"Record {0}", "Enregistrement {0}"},
    [TEXT_TABLE_OF] = {"{0}: table", "{0}\u00a0: tableau"},
    [TEXT_YES] = {"yes", "oui"},
    [TEXT_NO] = {"no", "non"},
    [TEXT_VALUE_CUT] = {"continues in the file", "suite dans le fichier"},
    [TEXT_FIELDS_CUT] = {"{0} more in the file", "{0} de plus dans le fichier"},

    [TEXT_WITHHELD] = {"What was left out, and why", "Ce qui a été retiré, et pourquoi"},
    [TEXT_WITHHELD_INTRO] =
        {"Your copy must not reveal other people’s data or endanger your accounts. Only what is "
         "listed here was masked or left out.",
         "Votre copie ne doit ni révéler les données d’autres personnes ni mettre vos comptes en "
         "danger. Seul ce qui figure ici a été masqué ou retiré."},
    [TEXT_WITHHELD_NONE] = {"Nothing was masked or left out.", "Rien n’a été masqué ni retiré."},
    [TEXT_WITHHELD_WHAT] = {"What and why", "Quoi et pourquoi"},
    [TEXT_WITHHELD_WHERE] = {"Where", "Où"},
    [TEXT_WITHHELD_COUNT] = {"Times", "Nombre"},
    [TEXT_WITHHELD_UNKNOWN] = {"Left out by rule:", "Retiré en application de la règle\u00a0:"},

    [TEXT_RIGHTS] = {"Your rights", "Vos droits"},
    [TEXT_RIGHTS_INTRO] = {"Besides this copy, you have the following rights towards {0}.",
                           "Outre cette copie, vous disposez des droits suivants auprès de {0}."},
    [TEXT_RIGHTS_CONTACT] = {"To use them, write to:", "Pour les exercer, écrivez à\u00a0:"},

    [TEXT_READING] = {"How to read the files", "Comment lire les fichiers"},
    [TEXT_READING_UNPACK] =
        {"Unpack the whole archive into one folder; then the links on this page lead to the files. "
         "This page needs no network and contains no program.",
         "Décompressez toute l’archive dans un même dossier\u00a0; les liens de cette page mènent "
         "alors aux fichiers. Cette page fonctionne sans réseau et ne contient aucun programme."},
    [TEXT_READING_JSON] =
        {"Files ending in .json open in a web browser or a text editor. They hold every record, also "
         "those that this page leaves out, in a form that other programs can read.",
         "Les fichiers en .json s’ouvrent dans un navigateur ou un éditeur de texte. Ils contiennent "
         "tous les enregistrements, y compris ceux que cette page n’affiche pas, sous une forme "
         "lisible par d’autres programmes."},
    [TEXT_READING_MANIFEST] =
        {"manifest.json lists every file with its checksum (SHA-256), and what was left out. "
         "manifest.jws is its signature: it proves that nothing was changed.",
         "manifest.json énumère chaque fichier avec son empreinte (SHA-256), ainsi que ce qui a "
         "été retiré. manifest.jws est sa signature\u00a0: elle prouve que rien n’a été modifié."},
    [TEXT_READING_NUMBERS] =
        {"Values are shown as the system wrote them, digit for digit. A mark such as ⟨U+202E⟩ stands "
         "for an invisible control character.",
         "Les valeurs sont affichées telles que le système les a écrites, chiffre pour chiffre. "
         "Un signe comme ⟨U+202E⟩ représente un caractère de contrôle invisible."},
    [TEXT_READING_KEEP] =
        {"Once unpacked, the files are no longer encrypted: keep them in a safe place.",
         "Une fois décompressés, les fichiers ne sont plus chiffrés\u00a0: conservez-les en lieu sûr."},

    [TEXT_FOOT] = {"Request {0}", "Demande {0}"},
    [TEXT_POLICY] = {"Screening policy {0}", "Politique de filtrage {0}"},
    [TEXT_MADE_BY] = {"Made by {0}, version {1}", "Produit par {0}, version {1}"},
};

static const char *const nouns[NOUNS][REPORT_LANGS][PLURAL_FORMS] = {
    [NOUN_RECORD] = {{"record", "records"}, {"enregistrement", "enregistrements"}},
    [NOUN_FILE] = {{"file", "files"}, {"fichier", "fichiers"}},
    [NOUN_SYSTEM] = {{"system", "systems"}, {"système", "systèmes"}},
    [NOUN_VALUE] = {{"value", "values"}, {"valeur", "valeurs"}},
    [NOUN_SEARCHED] = {{"system searched", "systems searched"}, {"système interrogé", "systèmes interrogés"}},
    [NOUN_LEFT_OUT] = {{"detail left out", "details left out"}, {"détail retiré", "détails retirés"}},
};

static const char *const months[12][REPORT_LANGS] = {
    {"January", "janvier"}, {"February", "février"},  {"March", "mars"},
    {"April", "avril"},     {"May", "mai"},           {"June", "juin"},
    {"July", "juillet"},    {"August", "août"},       {"September", "septembre"},
    {"October", "octobre"}, {"November", "novembre"}, {"December", "décembre"},
};

enum report_lang report_lang_of(const char *locale)
{
    for (unsigned lang = 0; locale && lang < REPORT_LANGS; lang++) {
        size_t len = strlen(tags[lang]);
        if (strncasecmp(locale, tags[lang], len) == 0 &&
            (locale[len] == '\0' || locale[len] == '-' || locale[len] == '_'))
            return (enum report_lang)lang;
    }
    return REPORT_EN;
}

const char *report_lang_tag(enum report_lang lang)
{
    return tags[lang];
}

const char *report_text(enum report_lang lang, enum report_text text)
{
    return texts[text][lang];
}

/* Unicode CLDR: in English only 1 is singular, in French 0 as well. */
static unsigned plural_form(enum report_lang lang, uint64_t n)
{
    return n != 1 && (lang != REPORT_FR || n != 0);
}

const char *report_noun(enum report_lang lang, enum report_noun noun, uint64_t n)
{
    return nouns[noun][lang][plural_form(lang, n)];
}

const char *report_month(enum report_lang lang, unsigned month)
{
    return months[month - 1][lang];
}
