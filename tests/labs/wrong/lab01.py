"""Lab 1, One job, three lanes."""

from tests.labs.wrong import Wrong

STARTERS = {"celery": "The web page does the job itself", "raw": "The web page does the job itself"}
WRONG = [
    Wrong("apply is not apply_async", "celery", "The web page does the job itself",
          {"publish_post.delay(text)": "publish_post.apply((text,))"}),
    Wrong("wait for the result", "celery", "The visitor waits for the job",
          {"publish_post.delay(text)": "publish_post.delay(text).get()",
           'broker=os.environ["BROKER_URL"]': 'broker=os.environ["BROKER_URL"], backend="rpc://"'}),
    Wrong("a thread of the web page", "raw", "The web page does the job itself",
          {'        body = json.dumps({"text": text}).encode()\n': "        import threading\n\n",
           '        connection.channel().basic_publish("", "posts", body, pika.BasicProperties(delivery_mode=2))\n':
           "        threading.Thread(target=publish_post, args=(text,)).start()\n"}),
    Wrong("into a queue that is not there", "raw", "The job never arrives", {'"", "posts", body': '"", "post", body'}),
    Wrong("another queue than the worker's", "celery", "The job never arrives",
          {"publish_post.delay(text)": 'publish_post.apply_async((text,), queue="celery")'}),
]  # fmt: skip
