namespace Breakwater.Proxy.Seeding.Import;

/// <summary>The store took no more: the bundle is right so far. What was stored stays, so that the import can go on later.</summary>
internal sealed class SeedStoreException(string message) : IOException(message);
