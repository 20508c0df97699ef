/* A ZeroMQ program that knows nothing of QZMQ: plain libzmq, tcp or ipc, no security.

       plain TYPE bind|connect ENDPOINT COUNT

   req asks COUNT questions, rep answers as many, push and pub send, pull and sub receive. What is received is printed,
   one message a line; rep prints the property X-QZMQ-Peer of the question behind it. pub sends until it is killed. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

static int type_of(const char *name)
{
    static const struct { const char *name; int type; } types[] = {
        {"req", ZMQ_REQ}, {"rep", ZMQ_REP}, {"push", ZMQ_PUSH}, {"pull", ZMQ_PULL}, {"pub", ZMQ_PUB}, {"sub", ZMQ_SUB},
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (!strcmp(types[i].name, name))
            return types[i].type;
    exit(2);
}

static void must(int status)
{
    if (status < 0) {
        fprintf(stderr, "%s\n", zmq_strerror(zmq_errno()));
        exit(1);
    }
}

static void say(void *socket, const char *word, int number)
{
    char text[64];
    int size = snprintf(text, sizeof text, "%s in the clear %d", word, number);
    must(zmq_send(socket, text, size, 0));
}

static void hear(void *socket, int with_peer)
{
    zmq_msg_t message;
    must(zmq_msg_init(&message));
    must(zmq_msg_recv(&message, socket, 0));
    printf("%.*s", (int) zmq_msg_size(&message), (char *) zmq_msg_data(&message));
    if (with_peer) {
        const char *peer = zmq_msg_gets(&message, "X-QZMQ-Peer");
        printf(" from %s", peer ? peer : "nobody");
    }
    printf("\n");
    fflush(stdout);
    zmq_msg_close(&message);
}

int main(int argc, char **argv)
{
    if (argc != 5)
        return 2;
    int type = type_of(argv[1]), count = atoi(argv[4]);
    void *context = zmq_ctx_new(), *socket = zmq_socket(context, type);
    if (type == ZMQ_SUB)
        must(zmq_setsockopt(socket, ZMQ_SUBSCRIBE, "", 0));
    must((strcmp(argv[2], "bind") ? zmq_connect : zmq_bind)(socket, argv[3]));
    for (int i = 0; i < count || type == ZMQ_PUB; i++) {
        if (type == ZMQ_REQ)
            say(socket, "question", i);
        if (type == ZMQ_PUSH || type == ZMQ_PUB)
            say(socket, "news", i);
        else
            hear(socket, type == ZMQ_REP);
        if (type == ZMQ_REP)
            say(socket, "answer", i);
        if (type == ZMQ_PUB)
            usleep(5000);
    }
    zmq_close(socket);
    zmq_ctx_term(context);
    return 0;
}
