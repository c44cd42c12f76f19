using System.Diagnostics.Metrics;
using Breakwater.CacheStore.Quotas;
using Breakwater.CacheStore.Spooling;
using Breakwater.CacheStore.Store;
using Breakwater.Proxy.Observability;

namespace Breakwater.Proxy.Admin;

/// <summary>What is measured of the store when somebody looks: who has brought how much, and what does not fit.</summary>
internal sealed class StoreGauges
{
    public StoreGauges(IMeterFactory meters, OverflowBudget overflow, NamedStore named, StoreShares shares)
    {
        Meter meter = meters.Create(ProxyCounters.MeterName);
        meter.CreateObservableGauge("breakwater.unstored", () => overflow.Taken, "By",
            "Memory of bodies that the store does not take, beyond 1 MiB each (Proxy:MaxUnstoredBytes).");
        meter.CreateObservableGauge("breakwater.http.urls", () => named.IsOpen ? named.Heads.Count : 0, "{url}",
            "URLs of destinations and sites with stored answers.");
        meter.CreateObservableGauge("breakwater.http.stored", () => named.UsedBytes, "By",
            "What bodies and heads of destinations and sites take on disk (Http:QuotaShare).");
        meter.CreateObservableGauge("breakwater.repositories.stored", () => shares.List().Select(use => Of(use.Name, use.Bytes)), "By",
            "What the objects take that each pattern of Repositories has brought into the store.");
        meter.CreateObservableGauge("breakwater.repositories.quota",
            () => from use in shares.List() where use.QuotaBytes is not null select Of(use.Name, use.QuotaBytes ?? 0), "By",
            "What they may take when room is short (Repositories:<pattern>:QuotaBytes).");
    }

    private static Measurement<long> Of(string pattern, long bytes) => new(bytes, new KeyValuePair<string, object?>("pattern", pattern));
}
