/* libxmlsec1 on libxml2, as another implementation of XML signatures. Built by tests/run:
 *   xmlsec serve IDP.pem            answers for each message on standard input whether its signatures hold
 *   xmlsec bench DIRECTORY NAME...  measures how long that takes for the messages in a directory
 * Keys are pinned as ours are: KeyInfo chooses nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <xmlsec/crypto.h>
#include <xmlsec/errors.h>
#include <xmlsec/templates.h>
#include <xmlsec/xmldsig.h>
#include <xmlsec/xmlenc.h>
#include <xmlsec/xmlsec.h>
#include <xmlsec/xmltree.h>

static xmlSecKeyPtr signer;
static xmlSecKeysMngrPtr decryption_keys;

static const xmlChar *const DSIG = BAD_CAST "http://www.w3.org/2000/09/xmldsig#";

static xmlNodePtr child(xmlNodePtr of, const char *name, const xmlChar *namespace) {
    for (xmlNodePtr node = of->children; node != NULL; node = node->next)
        if (node->type == XML_ELEMENT_NODE && xmlStrEqual(node->name, BAD_CAST name) &&
            (namespace == NULL || (node->ns != NULL && xmlStrEqual(node->ns->href, namespace))))
            return node;
    return NULL;
}

static void register_id(xmlDocPtr doc, xmlNodePtr node) {
    xmlAttrPtr attribute = xmlHasProp(node, BAD_CAST "ID");
    if (attribute == NULL) return;
    xmlChar *value = xmlNodeListGetString(doc, attribute->children, 1);
    if (value != NULL) xmlAddID(NULL, doc, value, attribute);
    xmlFree(value);
}

static int holds(xmlNodePtr signature) {
    xmlSecDSigCtxPtr context = xmlSecDSigCtxCreate(NULL);
    int good = 0;
    context->signKey = xmlSecKeyDuplicate(signer);
    if (xmlSecDSigCtxVerify(context, signature) >= 0) good = context->status == xmlSecDSigStatusSucceeded;
    xmlSecDSigCtxDestroy(context);
    return good;
}

static int opens(xmlNodePtr encrypted) {
    xmlNodePtr data = child(encrypted, "EncryptedData", NULL);
    if (data == NULL || decryption_keys == NULL) return 0;
    xmlSecEncCtxPtr context = xmlSecEncCtxCreate(decryption_keys);
    int good = xmlSecEncCtxDecrypt(context, data) >= 0 && context->resultReplaced;
    xmlSecEncCtxDestroy(context);
    return good;
}

/* Parsing, ids, and every signature of the message: of the response, of the assertion, or both. */
static int sound(const char *text, int length, int response_signed, int assertion_signed) {
    xmlDocPtr doc = xmlReadMemory(text, length, NULL, NULL, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    if (doc == NULL) return 0;
    xmlNodePtr root = xmlDocGetRootElement(doc);
    int good = root != NULL;
    if (good) register_id(doc, root);
    xmlNodePtr assertion = good ? child(root, "Assertion", NULL) : NULL;
    if (assertion != NULL) register_id(doc, assertion);
    if (good && response_signed) {
        xmlNodePtr signature = child(root, "Signature", DSIG);
        good = signature != NULL && holds(signature);
    }
    if (good && assertion == NULL) {
        xmlNodePtr encrypted = child(root, "EncryptedAssertion", NULL);
        good = encrypted != NULL && opens(encrypted);
        assertion = good ? child(encrypted, "Assertion", NULL) : NULL;
        if (assertion != NULL) register_id(doc, assertion);
        good = assertion != NULL;
    }
    if (good && assertion_signed) {
        xmlNodePtr signature = child(assertion, "Signature", DSIG);
        good = signature != NULL && holds(signature);
    }
    xmlFreeDoc(doc);
    return good;
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static char *read_file(const char *directory, const char *name, const char *ending, int *length) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s%s", directory, name, ending);
    FILE *file = fopen(path, "rb");
    if (file == NULL) exit(2);
    static char text[1 << 20];
    *length = (int)fread(text, 1, sizeof text, file);
    fclose(file);
    return text;
}

/* The fastest of many short runs, as in tests/benches/saml.rs. */
static int bench(const char *directory, const char *name) {
    int length;
    char *text = read_file(directory, name, ".xml", &length);
    int response_signed = strncmp(name, "entra", 5) != 0;
    int assertion_signed = strncmp(name, "google", 6) != 0;
    double best = 1e9;
    for (int run = 0; run < 1000; run++) {
        double began = seconds();
        for (int round = 0; round < 5; round++)
            if (!sound(text, length, response_signed, assertion_signed)) return 0;
        double took = (seconds() - began) / 5;
        if (took < best) best = took;
    }
    printf("%s %.1f\n", name, best * 1e6);
    return 1;
}

static int serve(void) {
    char which[8];
    int length;
    while (scanf("%7s %d", which, &length) == 2) {
        char *text = malloc((size_t)length + 1);
        if (getchar() != '\n' || text == NULL || fread(text, 1, (size_t)length, stdin) != (size_t)length) return 0;
        puts(sound(text, length, strchr(which, 'r') != NULL, strchr(which, 'a') != NULL) ? "yes" : "no");
        fflush(stdout);
        free(text);
    }
    return 1;
}

static xmlSecKeyPtr load(const char *path, xmlSecKeyDataFormat format) {
    xmlSecKeyPtr key = xmlSecCryptoAppKeyLoad(path, format, NULL, NULL, NULL);
    if (key == NULL) exit(2);
    return key;
}

int main(int count, char **arguments) {
    if (count < 3) return 2;
    xmlInitParser();
    if (xmlSecInit() < 0 || xmlSecCryptoAppInit(NULL) < 0 || xmlSecCryptoInit() < 0) return 2;
    xmlSecErrorsSetCallback(NULL);
    if (strcmp(arguments[1], "serve") == 0) {
        signer = load(arguments[2], xmlSecKeyDataFormatCertPem);
        return serve() ? 0 : 1;
    }
    char path[4096];
    snprintf(path, sizeof path, "%s/idp.pem", arguments[2]);
    signer = load(path, xmlSecKeyDataFormatCertPem);
    snprintf(path, sizeof path, "%s/sp-key.pem", arguments[2]);
    decryption_keys = xmlSecKeysMngrCreate();
    if (xmlSecCryptoAppDefaultKeysMngrInit(decryption_keys) < 0) return 2;
    xmlSecCryptoAppDefaultKeysMngrAdoptKey(decryption_keys, load(path, xmlSecKeyDataFormatPem));
    for (int at = 3; at < count; at++)
        if (!bench(arguments[2], arguments[at])) {
            printf("%s refused\n", arguments[at]);
            return 1;
        }
    return 0;
}
