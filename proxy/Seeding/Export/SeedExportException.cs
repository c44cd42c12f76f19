namespace Breakwater.Proxy.Seeding.Export;

/// <summary>An export cannot be done as asked: the message says why and what to do.</summary>
internal sealed class SeedExportException(string message) : Exception(message);
