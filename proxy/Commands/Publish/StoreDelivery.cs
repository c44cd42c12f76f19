using System.IO.Pipelines;
using Breakwater.CacheStore;
using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Commands.Publish.Objects;
using Breakwater.Proxy.Commands.Publish.Revisions;
using Breakwater.Proxy.Commands.Seed;
using Breakwater.Proxy.Seeding;
using Breakwater.Proxy.Seeding.Format;
using Breakwater.Proxy.Seeding.Import;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Commands.Publish;

/// <summary>
/// Brings a repository with <c>Repositories:&lt;fqrn&gt;:Published</c> into Breakwater's own store: through the running server that owns
/// it, else
/// straight. Run again, it brings what is missing.
/// </summary>
internal static class StoreDelivery
{
    private static readonly Dictionary<string, string?> s_offline = new() { ["Proxy:Offline"] = "true" };

    /// <summary>Delivers what the store lacks; nothing where the settings do not say that it is published into the store.</summary>
    /// <exception cref="SeedRefusedException">It is not whole, or its signatures do not hold.</exception>
    /// <exception cref="SeedStoreException">It does not fit: clients see the revision before.</exception>
    /// <exception cref="AdminException">The server refuses it, or does not answer.</exception>
    public static async Task RunAsync(PublishPlace place, CancellationToken cancellationToken)
    {
        if (!place.IsStored)
        {
            return;
        }

        (RepositoryFolder folder, CurrentRepository current) = await place.OpenAsync(cancellationToken);
        using (folder)
        {
            var shipment = new StoreShipment(folder, current, place.PublishKeys);
            if (!shipment.IsNeeded)
            {
                return;
            }

            SeedImportResult result = await DeliverAsync(place, shipment, cancellationToken);
            shipment.Complete();
            foreach (string warning in result.Warnings.Where(warning => warning.Contains("verified", StringComparison.Ordinal)))
            {
                await Console.Error.WriteLineAsync("Note: " + warning);
            }

            Console.WriteLine($"In Breakwater's store, pinned: {shipment}. Clients of this proxy see revision "
                + $"{current.Manifest.Revision}.");
        }
    }

    private static async Task<SeedImportResult> DeliverAsync(
        PublishPlace place, StoreShipment shipment, CancellationToken cancellationToken)
    {
        (IConfigurationRoot configuration, BreakwaterSettings settings) = SettingsFile.Read(place.SettingsFrom, s_offline);
        try
        {
            var limits = new SeedLimits(settings.Store.MaxObjectBytes);
            return await SeedHost.WithStoreAsync(
                configuration,
                settings,
                services => SendAsync(
                    shipment,
                    (body, cancel) => services.GetRequiredService<SeedImporter>()
                        .PublishAsync(new BundleSource(body, limits), place.Fqrn, cancel),
                    cancellationToken),
                cancellationToken);
        }
        catch (StoreInUseException)
        {
            using var client = new AdminClient(settings);
            return await SendAsync(
                shipment,
                (body, cancel) => client.UploadAsync<SeedImportResult>($"seeds?published={Uri.EscapeDataString(place.Fqrn)}", body, cancel),
                cancellationToken);
        }
    }

    /// <summary>Writes the bundle while it is read: it is never whole in memory or on the disk.</summary>
    internal static async Task<T> SendAsync<T>(
        StoreShipment shipment, Func<Stream, CancellationToken, Task<T>> take, CancellationToken cancellationToken)
    {
        var pipe = new Pipe();
        Task writing = WriteAsync(shipment, pipe.Writer, cancellationToken);
        try
        {
            return await take(pipe.Reader.AsStream(), cancellationToken);
        }
        finally
        {
            await pipe.Reader.CompleteAsync();
            await writing;
        }
    }

    private static async Task WriteAsync(StoreShipment shipment, PipeWriter pipe, CancellationToken cancellationToken)
    {
        try
        {
            await shipment.WriteAsync(pipe.AsStream(leaveOpen: true), cancellationToken);
            await pipe.CompleteAsync();
        }
        catch (Exception e)
        {
            // Who reads hears of it, and tells.
            await pipe.CompleteAsync(e);
        }
    }
}
