// Writes what the public Java SDK makes of one event: the requests as JSON.
// mvn -q compile dependency:build-classpath -Dmdep.outputFile=cp && java -cp target/classes:$(cat cp) Send EVENT.json > java.json
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.cloudevents.CloudEvent;
import io.cloudevents.core.builder.CloudEventBuilder;
import io.cloudevents.http.HttpMessageFactory;
import io.cloudevents.jackson.JsonFormat;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.OffsetDateTime;
import java.util.function.Consumer;

public class Send {
    static final ObjectMapper JSON = new ObjectMapper();

    interface Writing { void by(io.cloudevents.core.message.MessageWriter<?, ?> writer); }

    static ObjectNode said(String mode, Writing writing) {
        ObjectNode request = JSON.createObjectNode().put("mode", mode);
        ObjectNode headers = request.putObject("headers");
        Consumer<byte[]> body = bytes -> request.put("body", bytes == null ? "" : new String(bytes, StandardCharsets.UTF_8));
        java.util.function.BiConsumer<String, String> header = (name, value) -> headers.put(name.toLowerCase(), value);
        writing.by(HttpMessageFactory.createWriter(header, body));
        return request;
    }

    public static void main(String[] arguments) throws Exception {
        ObjectNode given = (ObjectNode) JSON.readTree(Files.readAllBytes(Path.of(arguments[0])));
        CloudEvent event = CloudEventBuilder.v1()
            .withId(given.get("id").asText())
            .withSource(URI.create(given.get("source").asText()))
            .withType(given.get("type").asText())
            .withSubject(given.get("subject").asText())
            .withTime(OffsetDateTime.parse(given.get("time").asText()))
            .withExtension("revision", given.get("revision").asInt())
            .withData("application/json", JSON.writeValueAsBytes(given.get("data")))
            .build();
        CloudEvent second = CloudEventBuilder.from(event).withId(event.getId() + "-2").build();
        JsonFormat format = new JsonFormat();
        ObjectNode all = JSON.createObjectNode();
        all.put("sdk", "io.cloudevents:cloudevents-http-basic 4.0.1");
        var requests = all.putArray("requests");
        requests.add(said("structured", writer -> writer.writeStructured(event, "application/cloudevents+json")));
        requests.add(said("binary", writer -> writer.writeBinary(event)));
        // The SDK writes no batches over HTTP itself: its users put events into an array.
        ObjectNode batch = JSON.createObjectNode().put("mode", "batch");
        batch.putObject("headers").put("content-type", "application/cloudevents-batch+json");
        batch.put("body", "[" + new String(format.serialize(event), StandardCharsets.UTF_8) + ","
            + new String(format.serialize(second), StandardCharsets.UTF_8) + "]");
        requests.add(batch);
        System.out.println(JSON.writerWithDefaultPrettyPrinter().writeValueAsString(all));
    }
}
