#include "bundle/report_text.h"

#include <string.h>

struct reason {
    const char *code;
    const char *text[REPORT_LANGS];
};

static const char *const statuses[][REPORT_LANGS] = {
    [SOURCE_COMPLETE] = {"Complete", "Complet"},
    [SOURCE_PARTIAL] = {"In part: some data is missing", "En partie\u00a0: des données manquent"},
    [SOURCE_NOT_FOUND] = {"Holds nothing about you", "Ne contient rien à votre sujet"},
    [SOURCE_FAILED] = {"Could not be read", "N’a pas pu être lu"},
    [SOURCE_SKIPPED] = {"Not searched: not part of your request",
                        "Non interrogé\u00a0: hors de votre demande"},
};

static const struct reason withheld[] = {
    {"card",
     {"Card numbers: only the last four digits are shown, so that nobody can pay with them.",
      "Numéros de carte\u00a0: seuls les quatre derniers chiffres sont affichés, pour que personne ne puisse "
      "s’en "
      "servir pour payer."}},
    {"card_number",
     {"Card numbers in a text: masked, so that nobody can pay with them.",
      "Numéros de carte dans un texte\u00a0: masqués, pour que personne ne puisse s’en servir pour payer."}},
    {"configured",
     {"Fields that a rule of the responsible company keeps in, such as a card’s security code.",
      "Champs retenus par une règle de l’entreprise responsable, comme le cryptogramme d’une carte."}},
    {"cvv",
     {"Card security codes: removed, because they must never be passed on.",
      "Cryptogrammes de carte\u00a0: retirés, car ils ne doivent jamais être transmis."}},
    {"duplicate",
     {"Copies of values that stand in the same record already.",
      "Copies de valeurs qui figurent déjà dans le même enregistrement."}},
    {"iban",
     {"Bank account numbers (IBAN) in a text: masked, because they may be another person’s.",
      "Numéros de compte (IBAN) dans un texte\u00a0: masqués, car ils peuvent être ceux d’une autre "
      "personne."}},
    {"linked_elsewhere",
     {"Files that also lie in a folder which is not yours: they may be another person’s.",
      "Fichiers qui se trouvent aussi dans un dossier qui n’est pas le vôtre\u00a0: ils peuvent être ceux "
      "d’une "
      "autre personne."}},
    {"not_fetched",
     {"Attached files: what is known of them is listed, but they could not be fetched for this copy. Ask for "
      "them.",
      "Pièces jointes\u00a0: leurs caractéristiques sont indiquées, mais elles n’ont pas pu être récupérées "
      "pour cette "
      "copie. Demandez-les."}},
    {"other_mount",
     {"Folders of another disk that shows within yours.",
      "Dossiers d’un autre disque qui apparaît dans le vôtre."}},
    {"over_limit",
     {"Files and folders beyond what this copy may hold.",
      "Fichiers et dossiers au-delà de ce que cette copie peut contenir."}},
    {"record_too_large",
     {"Records that are larger than this copy may hold.",
      "Enregistrements qui dépassent la taille permise pour cette copie."}},
    {"secret",
     {"Passwords, keys and tokens: removed, because whoever reads them could use your accounts.",
      "Mots de passe, clés et jetons\u00a0: retirés, car quiconque les lirait pourrait utiliser vos "
      "comptes."}},
    {"special_file",
     {"Pipes, sockets and devices: names through which programs talk, which hold no data.",
      "Tubes, sockets et périphériques\u00a0: des noms par lesquels des programmes communiquent, sans "
      "données."}},
    {"staff_note", {"Notes that staff wrote for internal use.", "Notes du personnel à usage interne."}},
    {"third_party",
     {"Details of other people, such as who wrote to you: masked, because they belong to someone else.",
      "Informations sur d’autres personnes, comme l’auteur d’un message\u00a0: masquées, car elles "
      "concernent "
      "quelqu’un d’autre."}},
    {"third_party_email",
     {"E-mail addresses of other people: masked, because they belong to someone else.",
      "Adresses e-mail d’autres personnes\u00a0: masquées, car elles appartiennent à quelqu’un d’autre."}},
    {"mixed_content",
     {"Files that may hold other people’s data and cannot be screened by a program.",
      "Fichiers pouvant contenir des données d’autres personnes, qu’un programme ne peut pas filtrer."}},
    {"trade_secret",
     {"Details that would reveal a trade secret.", "Informations qui révéleraient un secret d’affaires."}},
};

static const struct reason gaps[] = {
    {"circuit_open",
     {"The system had failed to answer several times in a row, so it was not asked.",
      "Le système n’avait pas répondu plusieurs fois de suite et n’a donc pas été interrogé."}},
    {"ownership",
     {"The system answered with data that is not shown to be yours; none of it was used.",
      "Le système a répondu avec des données dont rien ne prouve qu’elles sont les vôtres\u00a0; aucune n’a "
      "été utilisée."}},
    {"identity_refused",
     {"The system answered with an identity that it may not name, and was not used.",
      "Le système a répondu avec une identité qu’il ne peut pas donner, et n’a pas été utilisé."}},
    {"detail_missing",
     {"Some details of a record could not be read.",
      "Certains détails d’un enregistrement n’ont pas pu être lus."}},
    {"file_unreadable",
     {"Some files or folders could not be read.", "Certains fichiers ou dossiers n’ont pas pu être lus."}},
    {"page_limit",
     {"There is more data than could be read in one go.",
      "Il y a plus de données que ce qui peut être lu en une fois."}},
    {"record_too_large",
     {"A record is larger than this copy may hold.",
      "Un enregistrement dépasse la taille permise pour cette copie."}},
    {"short_answer",
     {"The system gave fewer records than it said it holds.",
      "Le système a remis moins d’enregistrements qu’il n’a dit en détenir."}},
    {"source_answer",
     {"The answer of this system could not be understood and was not used.",
      "La réponse de ce système était incompréhensible et n’a pas été utilisée."}},
    {"source_busy", {"The system was too busy to answer.", "Le système était trop occupé pour répondre."}},
    {"source_changed",
     {"The data changed while it was being read.", "Les données ont changé pendant la lecture."}},
    {"source_crashed",
     {"The program that reads this system stopped unexpectedly.",
      "Le programme qui lit ce système s’est arrêté de façon inattendue."}},
    {"source_error", {"The system reported an error.", "Le système a signalé une erreur."}},
    {"source_failed",
     {"The system could not be read, and did not say why.",
      "Le système n’a pas pu être lu et n’a pas dit pourquoi."}},
    {"source_protocol",
     {"The answer of this system could not be understood and was not used.",
      "La réponse de ce système était incompréhensible et n’a pas été utilisée."}},
    {"source_refused", {"The system refused to answer.", "Le système a refusé de répondre."}},
    {"source_silent", {"The system stopped answering.", "Le système a cessé de répondre."}},
    {"source_start",
     {"The program that reads this system could not be started.",
      "Le programme qui lit ce système n’a pas pu démarrer."}},
    {"source_timeout", {"The system took too long to answer.", "Le système a mis trop de temps à répondre."}},
    {"source_unreachable", {"The system could not be reached.", "Le système était injoignable."}},
    {"too_deep",
     {"Folders lie deeper in one another than this copy may hold.",
      "Des dossiers sont imbriqués plus profondément que ce que cette copie peut contenir."}},
    {"too_large",
     {"The data is larger than this copy may hold.",
      "Les données dépassent la taille permise pour cette copie."}},
    {"too_many_entries",
     {"There are more files than this copy may hold.",
      "Il y a plus de fichiers que cette copie ne peut en contenir."}},
    {"upstream_unresolved",
     {"Another system, which knows your number there, did not answer.",
      "Un autre système, qui connaît votre numéro dans celui-ci, n’a pas répondu."}},
};

static const struct reason identities[] = {
    {"email", {"E-mail address", "Adresse e-mail"}},
    {"phone_number", {"Phone number", "Numéro de téléphone"}},
};

static const struct report_right gdpr[] = {
    {{"Correction (Article 16)", "Rectification (article 16)"},
     {"You may have wrong data corrected and incomplete data completed.",
      "Vous pouvez faire corriger des données inexactes et compléter des données incomplètes."}},
    {{"Erasure (Article 17)", "Effacement (article 17)"},
     {"You may have data erased, for example when it is no longer needed. Some must be kept by law, such as "
      "invoices.",
      "Vous pouvez faire effacer des données, par exemple lorsqu’elles ne sont plus nécessaires. Certaines "
      "doivent être "
      "conservées par la loi, comme les factures."}},
    {{"Restriction (Article 18)", "Limitation (article 18)"},
     {"You may ask that data is kept but not used, for example while it is checked whether it is correct.",
      "Vous pouvez demander que des données soient conservées sans être utilisées, par exemple le temps de "
      "vérifier leur "
      "exactitude."}},
    {{"Portability (Article 20)", "Portabilité (article 20)"},
     {"You may hand the data you provided to another provider; the files beside this page are made for that.",
      "Vous pouvez transmettre à un autre prestataire les données que vous avez fournies\u00a0; les fichiers "
      "joints à "
      "cette page sont faits pour cela."}},
    {{"Objection (Article 21)", "Opposition (article 21)"},
     {"You may object to the use of your data; to direct marketing at any time and without giving a reason.",
      "Vous pouvez vous opposer à l’utilisation de vos données\u00a0; à la prospection, à tout moment et "
      "sans motif."}},
    {{"Consent (Article 7)", "Consentement (article 7)"},
     {"Where data is used because you agreed to it, you may withdraw your consent at any time.",
      "Lorsque des données sont utilisées parce que vous y avez consenti, vous pouvez retirer votre "
      "consentement à tout "
      "moment."}},
    {{"Complaint (Article 77)", "Réclamation (article 77)"},
     {"You may complain to a data protection authority, at no cost, and you may go to court.",
      "Vous pouvez introduire gratuitement une réclamation auprès d’une autorité de protection des données, "
      "et saisir "
      "la justice."}},
};

static const struct report_right ccpa[] = {
    {{"Correction", "Rectification"},
     {"You may have wrong data corrected.", "Vous pouvez faire corriger des données inexactes."}},
    {{"Deletion", "Suppression"},
     {"You may have data deleted that was collected from you, unless it must be kept by law.",
      "Vous pouvez faire supprimer les données recueillies auprès de vous, sauf si la loi impose de les "
      "conserver."}},
    {{"Opting out", "Refus de la vente"},
     {"You may forbid that your data is sold or shared.",
      "Vous pouvez interdire que vos données soient vendues ou partagées."}},
    {{"Sensitive data", "Données sensibles"},
     {"You may limit how sensitive data is used and disclosed.",
      "Vous pouvez limiter l’utilisation et la divulgation des données sensibles."}},
    {{"No retaliation", "Absence de représailles"},
     {"Nobody may treat you worse because you use these rights.",
      "Personne ne peut vous traiter moins bien parce que vous exercez ces droits."}},
    {{"Complaint", "Réclamation"},
     {"You may complain to the California Privacy Protection Agency or the Attorney General.",
      "Vous pouvez adresser une réclamation à la California Privacy Protection Agency ou au procureur "
      "général de "
      "Californie."}},
};

#define COUNT(list) (sizeof(list) / sizeof *(list))

static const char *find(const struct reason *reasons, size_t n, enum report_lang lang, const char *code)
{
    for (size_t i = 0; code && i < n; i++)
        if (strcmp(reasons[i].code, code) == 0)
            return reasons[i].text[lang];
    return NULL;
}

const char *report_status(enum report_lang lang, enum source_status status)
{
    return statuses[status][lang];
}

const char *report_gap(enum report_lang lang, const char *code)
{
    return find(gaps, COUNT(gaps), lang, code);
}

const char *report_withheld(enum report_lang lang, const char *code)
{
    return find(withheld, COUNT(withheld), lang, code);
}

const char *report_identity(enum report_lang lang, const char *kind)
{
    return find(identities, COUNT(identities), lang, kind);
}

const struct report_right *report_rights(const char *regulation, size_t *n_rights)
{
    bool californian = regulation && strcmp(regulation, "ccpa") == 0;
    *n_rights = californian ? COUNT(ccpa) : COUNT(gdpr);
    return californian ? ccpa : gdpr;
}
