# One image for every process: the coordinator, and each role of the reference task. `command` says which.
FROM node:24-slim AS build
WORKDIR /app
COPY . .
# Whole, so that what is wrong shows here and not in production.
RUN npm ci && node node_modules/typescript/bin/tsc -p tsconfig.json
# The page, for coordinators with DASHBOARD_DIR=apps/dashboard/dist.
RUN node node_modules/vite/bin/vite.js build apps/dashboard
# The same without what only development needs, and without the Node that npm brings along: the image has its own.
RUN rm -rf node_modules && npm ci --omit=dev --omit=optional

FROM node:24-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/package.json /app/LICENSE ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/packages packages
COPY --from=build /app/apps apps
COPY --from=build /app/deploy deploy
# A new volume takes over owner and rights of the folder that it is mounted on.
RUN mkdir /state /release && chown node:node /state /release
USER node
EXPOSE 8282
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 CMD ["node", "deploy/healthy.js"]
# Node itself, not npm: npm would keep SIGTERM from it.
CMD ["node", "--conditions=development", "packages/cli/bin/release-task.js", "serve", "apps/reference-task/src/task.ts"]
