using Breakwater.CacheStore;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Observability.AccessLogs;

/// <summary>Names the file behind an object, where that is known. Cheap: called for each line of the log.</summary>
internal interface IObjectPaths
{
    /// <summary>The path below the repository's root, with a leading slash; null when not known.</summary>
    string? Find(Fqrn fqrn, in ObjectKey key);
}
