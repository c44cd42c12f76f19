using Breakwater.Proxy.Host;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;

namespace Breakwater.Proxy.FunctionalTests.CommandLine;

/// <summary>The form of the service's own log.</summary>
public sealed class ServiceLogTests
{
    [Theory]
    [InlineData("json", "json")]
    [InlineData("systemd", "systemd")]
    [InlineData(null, "simple")]
    public void Formatter_IsThatOfTheSettings(string? setting, string inForce)
    {
        IConfigurationRoot configuration =
            new ConfigurationBuilder().AddInMemoryCollection([KeyValuePair.Create("Logging:Console:FormatterName", setting)]).Build();
        ServiceCollection services = new();
        services.AddLogging(logging => ProxyServer.AddLogging(logging, configuration));
        using ServiceProvider provider = services.BuildServiceProvider();

        Assert.Equal(inForce, provider.GetRequiredService<IOptions<ConsoleLoggerOptions>>().Value.FormatterName);
    }
}
