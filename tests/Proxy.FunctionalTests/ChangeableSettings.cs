using Microsoft.Extensions.Configuration;

namespace Breakwater.Proxy.FunctionalTests;

/// <summary>Settings in memory that can be changed while a proxy has them.</summary>
internal sealed class ChangeableSettings : ConfigurationProvider, IConfigurationSource
{
    /// <summary>These, before anybody has them.</summary>
    public void Put(IReadOnlyDictionary<string, string?> values) =>
        Data = new Dictionary<string, string?>(values, StringComparer.OrdinalIgnoreCase);

    /// <summary>Sets some, takes those out that are null, and tells whoever follows.</summary>
    public void Change(IReadOnlyDictionary<string, string?> changes)
    {
        var changed = new Dictionary<string, string?>(Data, StringComparer.OrdinalIgnoreCase);
        foreach ((string name, string? value) in changes)
        {
            if (value is null)
            {
                changed.Remove(name);
            }
            else
            {
                changed[name] = value;
            }
        }

        Data = changed;
        OnReload();
    }

    /// <inheritdoc/>
    public IConfigurationProvider Build(IConfigurationBuilder builder) => this;
}
