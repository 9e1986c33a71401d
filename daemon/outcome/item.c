#include "outcome/item.h"

#include <stdlib.h>

#define LATER_MIN_MS 1000
#define LATER_MAX_MS 60000

void item_later(struct item *item)
{
    item->fate = ITEM_LATER;
    item->later_ms *= 2;
    if (item->later_ms < LATER_MIN_MS)
        item->later_ms = LATER_MIN_MS;
    if (item->later_ms > LATER_MAX_MS)
        item->later_ms = LATER_MAX_MS;
}

void item_drop_answers(struct item *item)
{
    outgoing_free(item->answers);
    item->answers = NULL;
}

void item_free(struct item *item)
{
    if (item->message)
        rd_kafka_message_destroy(item->message);
    outgoing_free(item->answers);
    cancel_free(item->cancel);
    free(item);
}

void item_list_init(struct item_list *list)
{
    *list = (struct item_list){.last = &list->first};
}

void item_list_add(struct item_list *list, struct item *item)
{
    item->next = NULL;
    *list->last = item;
    list->last = &item->next;
    list->n++;
}

void item_list_remove(struct item_list *list, struct item *item)
{
    struct item **at = &list->first;
    while (*at != item)
        at = &(*at)->next;
    *at = item->next;
    if (list->last == &item->next)
        list->last = at;
    list->n--;
}

void item_list_free(struct item_list *list)
{
    while (list->first) {
        struct item *item = list->first;
        item_list_remove(list, item);
        item_free(item);
    }
}
