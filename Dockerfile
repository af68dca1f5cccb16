# moncae on the CPU:
#   docker build -t moncae .
#   docker run --rm -v "$PWD:/work" moncae search --data photos --run photos-run
FROM golang:1.26-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends python3 python3-pip python3-venv && rm -rf /var/lib/apt/lists/*
WORKDIR /moncae
COPY . .
RUN make build && mkdir -p /out/lib && cp bin/moncae /out/ \
 && cp -L .deps/onednn/lib/libdnnl.so.3 .deps/onnxruntime/libonnxruntime.so.1 /out/lib/

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends libgomp1 libstdc++6 ca-certificates && rm -rf /var/lib/apt/lists/*
COPY --from=build /out/ /opt/moncae/
ENV PATH=/opt/moncae:$PATH
WORKDIR /work
ENTRYPOINT ["moncae"]
