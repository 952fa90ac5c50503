# reglab and everything that the book is built with, at the versions of requirements.lock:
#   docker build --tag reglab .
#   docker run --rm reglab reglab claims
# PyTorch comes with CUDA, so the image has several GB.
FROM python:3.11-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git make \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 1000 --create-home reader \
    && install --directory --owner reader /srv/reglab /srv/runs
USER reader
WORKDIR /srv/reglab
# What changes seldom comes first, so that a changed page does not install everything again.
COPY --chown=reader requirements.lock pyproject.toml README.md LICENSE ./
COPY --chown=reader tools/make_venv.sh tools/find_python.sh tools/patiently.sh tools/
RUN sh tools/make_venv.sh .venv
COPY --chown=reader . .
ENV PATH=/srv/reglab/.venv/bin:$PATH
CMD ["reglab", "--help"]
