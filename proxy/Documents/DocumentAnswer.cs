using System.Collections.Concurrent;
using Breakwater.CacheStore;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;
using Microsoft.Extensions.Caching.Memory;

namespace Breakwater.Proxy.Documents;

/// <summary>What the cache answers: a document and how it came, or why there is none.</summary>
internal readonly record struct DocumentAnswer(CachedDocument? Document, RequestResult Result, UpstreamFailure? Failure);
