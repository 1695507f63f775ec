// The HL7 validator over folders: one process, one thread, no terminology server, no network.
//
// java -Duser.home=CACHE -cp 'lib/*:.' Judge SECONDS [-p PACKAGE.tgz] NAME=FOLDER[=PROFILE]...
// One line a folder: name, documents, documents with errors, documents a second.

import java.lang.management.ManagementFactory;
import java.nio.file.*;
import java.util.*;
import java.util.stream.Stream;
import org.hl7.fhir.r5.elementmodel.Manager.FhirFormat;
import org.hl7.fhir.r5.utils.validation.constants.ReferenceValidationPolicy;
import org.hl7.fhir.utilities.validation.ValidationMessage;
import org.hl7.fhir.utilities.validation.ValidationMessage.IssueSeverity;
import org.hl7.fhir.validation.ValidationEngine;
import org.hl7.fhir.validation.instance.advisor.BasePolicyAdvisorForFullValidation;
import org.hl7.fhir.validation.service.model.InstanceValidatorParameters;

public class Judge {
    public static void main(String[] arguments) throws Exception {
        var rest = new ArrayDeque<>(List.of(arguments));
        double seconds = Double.parseDouble(rest.pop());
        var asked = new InstanceValidatorParameters().setAllowExampleUrls(true);
        var engine = new ValidationEngine.ValidationEngineBuilder()
                .withVersion("4.0.1").withNoTerminologyServer()
                .withDefaultInstanceValidatorParameters(asked)
                .fromSource("hl7.fhir.r4.core#4.0.1");
        // A reference to a resource elsewhere is no fault of the document: nothing here could look it up.
        engine.setPolicyAdvisor(new BasePolicyAdvisorForFullValidation(ReferenceValidationPolicy.IGNORE, Set.of()));
        engine.setAllowExampleUrls(true);
        while (rest.peek().equals("-p")) {
            rest.pop();
            engine.loadPackage(rest.pop(), null);
        }
        for (var one : rest) {
            var parts = one.split("=", 3);
            var profiles = parts.length > 2 ? List.of(parts[2]) : List.<String>of();
            measure(engine, parts[0], documents(parts[1]), profiles, seconds);
        }
    }

    static List<byte[]> documents(String folder) throws Exception {
        var documents = new ArrayList<byte[]>();
        try (Stream<Path> files = Files.list(Path.of(folder))) {
            for (var file : files.sorted().toList()) {
                documents.add(Files.readAllBytes(file));
            }
        }
        return documents;
    }

    /** Warm: passes until the time is spent, at least two, of which the last tells. */
    static void measure(ValidationEngine engine, String name, List<byte[]> documents, List<String> profiles,
            double seconds) throws Exception {
        long wrong = 0;
        double last = 0;
        int passes = 0;
        long start = System.nanoTime();
        do {
            passes += 1;
            double before = cpu();
            wrong = 0;
            for (var document : documents) {
                wrong += isWrong(engine, document, profiles) ? 1 : 0;
            }
            last = cpu() - before;
        } while ((System.nanoTime() - start) / 1e9 < seconds || passes < 2);
        System.out.printf(Locale.ROOT, "RESULT %s %d %d %.2f%n", name, documents.size(), wrong, documents.size() / last);
    }

    static boolean isWrong(ValidationEngine engine, byte[] document, List<String> profiles) {
        var messages = new ArrayList<ValidationMessage>();
        try {
            engine.validate(document, FhirFormat.JSON, profiles, messages);
        } catch (Exception refused) {
            return true;
        }
        return messages.stream().anyMatch(one -> one.getLevel() == IssueSeverity.ERROR || one.getLevel() == IssueSeverity.FATAL);
    }

    /** Seconds of this thread: the compiler and the collector, which run on others, are not counted. */
    static double cpu() {
        return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() / 1e9;
    }
}
