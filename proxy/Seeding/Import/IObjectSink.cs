using Breakwater.CacheStore;

namespace Breakwater.Proxy.Seeding.Import;

/// <summary>Where the objects of a bundle go. Thread-safe.</summary>
internal interface IObjectSink
{
    /// <summary>Starts to take one object.</summary>
    ObjectTaker Begin(in ObjectKey key, long length);
}
