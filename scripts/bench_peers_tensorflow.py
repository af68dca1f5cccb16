"""TensorFlow's side of bench_peers.py: trains one network whenever a line comes on stdin, and prints images a second.

    python scripts/bench_peers_tensorflow.py ARCH.json MODE THREADS BATCH SECONDS
"""

import json
import os
import sys
import time

MODES = ["f32"]


def build(path):
    """The network as a Keras model that gives logits."""
    import keras
    from keras import layers

    arch = json.load(open(path))

    def cut(x, to):
        """Without the first row or column where the target is odd."""
        odd = [side % 2 for side in to]
        return layers.Cropping2D(((odd[0], 0), (odd[1], 0)))(x) if any(odd) else x

    channels, height, width = arch["input"]
    x = image = layers.Input((height, width, channels))
    for stack in arch["encoder"], arch["decoder"]:
        values = [x]
        for layer in stack:
            kind = layer["kind"]
            if kind == "conv":
                x = layers.Conv2D(layer["filters"], layer["kernel"], layer["stride"], padding="same")(x)
            elif kind == "conv_transpose":  # on even sides its values lie a pixel on: the work is the same
                x = cut(layers.Conv2DTranspose(layer["filters"], layer["kernel"], 2, padding="same")(x), layer["to"])
            elif kind == "batch_norm":
                x = layers.BatchNormalization(epsilon=1e-3, momentum=0.9)(x)
            elif kind == "activation":
                x = layers.Activation(layer["activation"])(x)
            elif kind == "dropout":
                x = layers.Dropout(layer["rate"])(x)
            elif kind == "max_pool":
                x = layers.MaxPooling2D(2, padding="same")(x)
            elif kind == "upsample":
                x = cut(layers.UpSampling2D(2)(x), layer["to"])
            elif kind == "add":
                x = layers.Add()([x, values[layer.get("from", 0)]])
            else:
                raise SystemExit(f"{path}: layer kind {kind} is unknown")
            values.append(x)
    model = keras.Model(image, x)
    model.compile("adam", keras.losses.BinaryCrossentropy(from_logits=True))
    return model, (height, width, channels)


def main(path, mode, threads, batch, seconds):
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import numpy
    import tensorflow

    if mode not in MODES:
        raise SystemExit(f"mode {mode} is none of {MODES}")
    tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
    tensorflow.config.threading.set_inter_op_parallelism_threads(1)
    model, shape = build(path)

    def images(steps):
        return numpy.random.default_rng(1).random((steps * batch, *shape), dtype="f4")

    def fit(x):
        start = time.perf_counter()
        model.fit(x, x, batch_size=batch, epochs=1, verbose=0)
        return time.perf_counter() - start

    x = images(2)
    fit(x)  # traces and compiles
    x = images(max(2, int(2 * seconds / fit(x))))
    fit(x)
    print("ready", model.count_params(), flush=True)
    for _ in sys.stdin:
        print(len(x) / fit(x), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5]))
