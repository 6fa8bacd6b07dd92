FROM python:3.13-slim

WORKDIR /opt/safejury
COPY requirements/run.txt requirements/embedded.txt requirements/
RUN pip install --no-cache-dir --require-hashes -r requirements/run.txt \
    && pip install --no-cache-dir --no-deps --require-hashes -r requirements/embedded.txt
COPY . .
RUN pip install --no-cache-dir --no-deps . \
    && useradd --create-home safejury \
    && install -d -o safejury /work

USER safejury
WORKDIR /work
ENTRYPOINT ["safejury"]
CMD ["demo"]
