# The one image of every part of SocialOps. Its binary is built outside, by hack/image.sh, static and with its own
# root certificates, so the image holds nothing else. The context is a folder with that binary.
FROM scratch
LABEL org.opencontainers.image.title=socialops \
      org.opencontainers.image.source=https://github.com/open4x/socialops \
      org.opencontainers.image.licenses=Apache-2.0
COPY socialops /socialops
USER 65532:65532
ENTRYPOINT ["/socialops"]
