"""How each fault of a plan is made: what stands before the `yield` begins it, what follows ends it. All of it returns at
once and is called by the main thread. A fault that yields False could not be made here."""
import proxy


def worker_killed(stage, name):
    stage.workers[name].kill()
    yield
    stage.workers[name].held_down = False


def worker_stopped(stage, name):
    stage.workers[name].stop()
    yield
    stage.workers[name].resume()


def worker_told_to_leave(stage, name):
    stage.workers[name].tell_to_leave()
    yield


def worker_killed_in_a_commit(stage, name):
    """When its next EndTxn has been sent, and before it can have seen the answer."""
    worker = stage.workers[name]
    rule = stage.ground.proxy.when(proxy.END_TXN, client=worker.client, sent=lambda step: worker.kill())
    yield
    rule.drop()
    worker.held_down = False


def answer_of_a_commit_lost(stage, name):
    rule = stage.ground.proxy.when(proxy.END_TXN, client=stage.workers[name].client,
                                   answered=lambda step: proxy.CLOSE)
    yield
    rule.drop()


def worker_cut_off(stage, name):
    with stage.ground.proxy.cut(client=stage.workers[name].client):
        yield


def workers_network_stalled(stage, name):
    with stage.ground.proxy.stall(client=stage.workers[name].client):
        yield


def broker_killed(stage, node):
    stage.ground.cluster.nodes[node].kill()
    yield
    stage.ground.cluster.nodes[node].launch()


def broker_stopped(stage, node):
    stage.ground.cluster.nodes[node].suspend()
    yield
    stage.ground.cluster.nodes[node].resume()


def _source(**fault):
    def spoilt(stage, product):
        stage.ground.spoil(product, **fault)
        yield
        stage.ground.spoil(product, mode="ok")
    return spoilt


def disk_full(stage, _):
    yield stage.disk.fill()
    stage.disk.empty()


BY_NAME = {
    "worker killed": worker_killed,
    "worker stopped": worker_stopped,
    "worker told to leave": worker_told_to_leave,
    "worker killed in a commit": worker_killed_in_a_commit,
    "answer of a commit lost": answer_of_a_commit_lost,
    "worker cut off": worker_cut_off,
    "worker's network stalled": workers_network_stalled,
    "broker killed": broker_killed,
    "broker stopped": broker_stopped,
    "source down": _source(mode="drop_connection"),
    "source busy": _source(mode="busy503"),
    "source slow": _source(mode="slow", delay_ms=10),
    "source cuts its answers": _source(mode="cut"),
    "disk full": disk_full,
}
